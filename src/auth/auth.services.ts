import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeyIssuer } from './api-keys/api-key-issuer.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { Actors } from './audit/actor.js';
import { AuditLog } from './audit/audit-log.js';
import { Refusals } from './audit/refusals.js';
import { AuthService } from './auth.service.js';
import { Cursors } from './cursor.js';
import { GrantsService } from './grants/grants.service.js';
import { EndingSweeper } from './grants/ending-sweeper.js';
import { LastUse } from './grants/last-use.js';
import { OwnerEndings } from './grants/owner-endings.js';
import { RestoredBackup } from './grants/restored-backup.js';
import { RestoredAccess } from './restore/restored-access.js';
import { LoginIssuer } from './account/login-issuer.js';
import { OperatorIssuer } from './oauth/operator-issuer.js';
import { JwtReader } from './tokens/jwt/jwt-reader.js';
import { JwtSigner } from './tokens/jwt/jwt-signer.js';
import { KeyCipher } from './keys/key-cipher.js';
import { KeyRing } from './keys/key-ring.js';
import { KeyUpkeep } from './keys/key-upkeep.js';
import { PublishedKeys } from './keys/published-keys.js';
import { SigningKeys } from './keys/signing-keys.js';
import { ClientAuthentication } from './clients/client-authentication.js';
import { Client } from './clients/client.entity.js';
import { ClientSecret } from './clients/client-secret.entity.js';
import { ClientsService } from './clients/clients.service.js';
import { ClientCredentialsGrant } from './oauth/client-credentials-grant.js';
import { ClientTokens } from './oauth/client-tokens.js';
import { Introspection } from './oauth/introspection.js';
import { OAuthRevocation } from './oauth/oauth-revocation.js';
import { RefreshGrant } from './oauth/refresh-grant.js';
import { Successors } from './oauth/successors.js';
import { TokenEndpoint } from './oauth/token-endpoint.js';
import { TokenStory } from './story/token-story.js';
import { Telemetry } from './telemetry.js';
import { TokenCheck } from './tokens/token-check.js';
import { TokenExplainer } from './tokens/token-explainer.js';
import { TokenKeys } from './tokens/token-keys.js';
import { TokenLookup } from './tokens/token-lookup.js';
import { TokenMint } from './tokens/token-mint.js';
import { TokenReader } from './tokens/token-reader.js';
import { TokenRevocation } from './tokens/token-revocation.js';
import { DemoUser } from './users/demo-user.js';
import { LoginLane } from './users/login-lane.js';
import { SecretKeyRegister } from './secrets/secret-key-register.js';
import { StoredPasswords } from './users/stored-passwords.js';
import { PasswordHash } from './users/password-hash.js';
import { PasswordChange } from './account/password-change.js';
import { SessionsService } from './account/sessions.service.js';
import { AttemptCounters } from './throttle/attempt-counters.js';
import { ClientThrottle } from './throttle/client-throttle.js';
import { LoginThrottle } from './throttle/login-throttle.js';
import { NewPasswords } from './users/new-passwords.js';
import { PasswordLogin } from './users/password-login.js';
import { PasswordPolicy } from './users/password-policy.js';
import { User } from './users/user.entity.js';
import { UserChanges } from './users/user-changes.js';
import { UsersDirectory } from './users/users-directory.js';
import { UsersService } from './users/users.service.js';

/** The tables that are read and changed through repositories. */
export const AUTH_REPOSITORIES = TypeOrmModule.forFeature([Client, ClientSecret, User]);

/**
 * What the authority can do, without HTTP: no controller, guard or strategy. The command line takes it as it is, because
 * what those bring along (Swagger, passport) takes half a second to load.
 */
export const AUTH_SERVICES = [
  Telemetry,
  Refusals,
  AuthService,
  TokenKeys,
  TokenLookup,
  TokenMint,
  TokenReader,
  TokenCheck,
  TokenExplainer,
  TokenStory,
  TokenRevocation,
  LoginIssuer,
  OperatorIssuer,
  RestoredBackup,
  RestoredAccess,
  LastUse,
  EndingSweeper,
  OwnerEndings,
  GrantsService,
  ApiKeysService,
  ApiKeyIssuer,
  SessionsService,
  PasswordChange,
  Cursors,
  Actors,
  AuditLog,
  JwtReader,
  JwtSigner,
  SigningKeys,
  PublishedKeys,
  KeyRing,
  KeyCipher,
  KeyUpkeep,
  ClientsService,
  ClientAuthentication,
  ClientCredentialsGrant,
  ClientTokens,
  RefreshGrant,
  Successors,
  TokenEndpoint,
  Introspection,
  OAuthRevocation,
  UsersService,
  UsersDirectory,
  UserChanges,
  NewPasswords,
  PasswordHash,
  StoredPasswords,
  SecretKeyRegister,
  PasswordPolicy,
  PasswordLogin,
  LoginThrottle,
  ClientThrottle,
  AttemptCounters,
  LoginLane,
  DemoUser,
];
