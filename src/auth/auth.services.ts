import { AuthService } from './auth.service.js';
import { TokenKeys } from './tokens/token-keys.js';
import { TokenLookup } from './tokens/token-lookup.js';
import { TokenStore } from './tokens/token-store.js';
import { DemoUser } from './users/demo-user.js';
import { LoginLane } from './users/login-lane.js';
import { PasswordHash } from './users/password-hash.js';
import { PasswordPolicy } from './users/password-policy.js';
import { UsersService } from './users/users.service.js';

/**
 * What the authority can do, without HTTP: no controller, guard or strategy. The command line takes it as it is, because
 * what those bring along (Swagger, passport) takes half a second to load.
 */
export const AUTH_SERVICES = [
  AuthService,
  TokenKeys,
  TokenLookup,
  TokenStore,
  UsersService,
  PasswordHash,
  PasswordPolicy,
  LoginLane,
  DemoUser,
];
