import { AuditEventRow } from './audit/audit-event.entity.js';
import { ClientAssertion } from './clients/client-assertion.entity.js';
import { Client, ClientSecret } from './clients/client.entity.js';
import { EndedGrant, Grant } from './grants/grant.entity.js';
import { OwnerEnding } from './grants/owner-ending.entity.js';
import { ApiKey } from './api-keys/api-key.entity.js';
import { AuthorizationCode } from './oauth/authorization-code.entity.js';
import { ClientDocument } from './registration/client-document.entity.js';
import { ClientRegistration } from './registration/client-registration.entity.js';
import { InitialAccessToken } from './registration/initial-access-token.entity.js';
import { PushedRequest } from './authorize/pushed-request.entity.js';
import { DeviceCode } from './oauth/device-code.entity.js';
import { UsedProof } from './dpop/used-proof.entity.js';
import { Receiver } from './receivers/receiver.entity.js';
import { UndeliveredEvent } from './receivers/undelivered-event.entity.js';
import { TokenExchange } from './tokens/token-exchange.entity.js';
import { ScopeDescription } from './scopes/scope-description.entity.js';
import { SecretKey } from './secrets/secret-key.entity.js';
import { SigningKey } from './keys/signing-key.entity.js';
import { NumbersHistoryRow } from './telemetry/numbers-history.entity.js';
import { AccessToken } from './tokens/access-token.entity.js';
import { RefreshToken } from './tokens/refresh-token.entity.js';
import { AttemptCounter } from './throttle/attempt-counter.entity.js';
import { User } from './users/user.entity.js';

/** Every table that TypeORM knows. A test compares them with the migrations. */
export const entities = [
  AccessToken,
  AttemptCounter,
  ApiKey,
  AuditEventRow,
  AuthorizationCode,
  Client,
  ClientAssertion,
  ClientDocument,
  ClientRegistration,
  ClientSecret,
  DeviceCode,
  EndedGrant,
  Grant,
  InitialAccessToken,
  NumbersHistoryRow,
  OwnerEnding,
  PushedRequest,
  Receiver,
  RefreshToken,
  ScopeDescription,
  SecretKey,
  SigningKey,
  UndeliveredEvent,
  TokenExchange,
  UsedProof,
  User,
];
