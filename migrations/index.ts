import { Schema1760000000000 } from './1760000000000-schema.js';
import { HashedDigests1795392000000 } from './1795392000000-hashed-digests.js';
import { EndedGrants1795392060000 } from './1795392060000-ended-grants.js';
import { MovedRows1796000000000 } from './1796000000000-moved-rows.js';
import { OwnerEndings1796000060000 } from './1796000060000-owner-endings.js';
import { LivingGrants1796000061000 } from './1796000061000-living-grants.js';
import { SecretKeys1796000120000 } from './1796000120000-secret-keys.js';
import { AuditAppendOnly1796100000000 } from './1796100000000-audit-append-only.js';
import { ClientResources1796100060000 } from './1796100060000-client-resources.js';
import { Revocations1796230000000 } from './1796230000000-revocations.js';
import { RevocationTriggers1796230001000 } from './1796230001000-revocation-triggers.js';
import { Apps1796240000000 } from './1796240000000-apps.js';
import { KindsOfGrants1796240060000 } from './1796240060000-kinds-of-grants.js';
import { AuditRetention1796250000000 } from './1796250000000-audit-retention.js';
import { AuditOfPeople1796250060000 } from './1796250060000-audit-of-people.js';
import { NewestGrants1796260000000 } from './1796260000000-newest-grants.js';
import { DeviceCodes1796260100000 } from './1796260100000-device-codes.js';
import { PushedRequests1796260110000 } from './1796260110000-pushed-requests.js';
import { BoundTokens1796260200000 } from './1796260200000-bound-tokens.js';
import { RegisteredClients1796260300000 } from './1796260300000-registered-clients.js';
import { ClientDocuments1796260310000 } from './1796260310000-client-documents.js';
import { ClientKeys1796260320000 } from './1796260320000-client-keys.js';
import { NumbersHistory1796260400000 } from './1796260400000-numbers-history.js';
import { DescribedGuards1796260500000 } from './1796260500000-described-guards.js';
import { IdsOfLongLived1796260600000 } from './1796260600000-ids-of-long-lived.js';
import { AuditByType1796260660000 } from './1796260660000-audit-by-type.js';
import { TokenExchange1796270000000 } from './1796270000000-token-exchange.js';
import { Receivers1796290000000 } from './1796290000000-receivers.js';
import { ReceiverTrigger1796290060000 } from './1796290060000-receiver-trigger.js';
import { AuditThinSteps1796310000000 } from './1796310000000-audit-thin-steps.js';

/** The migrations in the order in which they run. A new migration goes to the end, and never changes once released. */
export const migrations = [
  Schema1760000000000,
  HashedDigests1795392000000,
  EndedGrants1795392060000,
  MovedRows1796000000000,
  OwnerEndings1796000060000,
  LivingGrants1796000061000,
  SecretKeys1796000120000,
  AuditAppendOnly1796100000000,
  ClientResources1796100060000,
  Revocations1796230000000,
  RevocationTriggers1796230001000,
  Apps1796240000000,
  KindsOfGrants1796240060000,
  AuditRetention1796250000000,
  AuditOfPeople1796250060000,
  NewestGrants1796260000000,
  DeviceCodes1796260100000,
  PushedRequests1796260110000,
  BoundTokens1796260200000,
  RegisteredClients1796260300000,
  ClientDocuments1796260310000,
  ClientKeys1796260320000,
  NumbersHistory1796260400000,
  DescribedGuards1796260500000,
  IdsOfLongLived1796260600000,
  AuditByType1796260660000,
  TokenExchange1796270000000,
  Receivers1796290000000,
  ReceiverTrigger1796290060000,
  AuditThinSteps1796310000000,
];

/**
 * The newest migration that a program must know to run on the schema that all of these make, by its timestamp. A migration that
 * only adds (a column that may be null, a table, an index) leaves this number as it is: the previous version runs beside this
 * one. A migration that takes something away raises it to the migration since which no program has needed that thing.
 */
export const COMPATIBLE_FROM = 1_760_000_000_000;
