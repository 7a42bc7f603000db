/**
 * Everything that a request from outside can make grow, and what ends that. `test/project/growth.spec.ts` finds what is missing
 * here; `test/faults/growth.e2e-spec.ts` floods what is called `flooded`, and sees the bound.
 */

/** Why something does not grow with what comes from outside. */
const CLOSED = {
  start: 'made at the start, or of what an operator sets',
  request: 'as much as one request or statement holds, and gone with it',
  connection: 'one for each open connection, and gone with it',
  test: 'for tests of other people’s APIs',
} as const;

type Bound = { readonly flooded: string } | { readonly elsewhere: string } | { readonly closed: string };

/** Collections of the server and of the guard that live longer than a call, as `keptCollections` finds them. */
export const IN_MEMORY: Readonly<Record<string, Bound>> = {
  'packages/guard/src/bearer.guard.ts#rules': { closed: 'one for each route' },
  'packages/guard/src/dpop-memory.ts#older': { elsewhere: 'test/guard/dpop-memory.spec.ts' },
  'packages/guard/src/dpop-memory.ts#recent': { elsewhere: 'test/guard/dpop-memory.spec.ts' },
  'packages/guard/src/dpop-proof.ts#known': {
    flooded: '1,000 keys that have signed something, the oldest go',
  },
  'packages/guard/src/dpop-verifier.ts#judged': { closed: CLOSED.request },
  'packages/guard/src/exact-revocations.ts#cleared': { flooded: '10,000 tokens, the oldest go' },
  'packages/guard/src/gate.ts#principals': { closed: CLOSED.request },
  'packages/guard/src/introspection-client.ts#chunks': { closed: CLOSED.request },
  'packages/guard/src/misaddressed.ts#said': { flooded: '100 pairs an hour' },
  'packages/guard/src/proven-tokens.ts#before': { flooded: 'a setting; the older half goes' },
  'packages/guard/src/proven-tokens.ts#recent': { flooded: 'a setting; the older half goes' },
  'packages/guard/src/question-queue.ts#waiting': { flooded: 'a setting; beyond it there is no verdict' },
  'packages/guard/src/revocation-set.ts#grants': { flooded: '250,000 entries of all kinds together' },
  'packages/guard/src/revocation-set.ts#keys': { flooded: '250,000 entries of all kinds together' },
  'packages/guard/src/revocation-set.ts#subjects': { flooded: '250,000 entries of all kinds together' },
  'packages/guard/src/revocation-set.ts#tokens': { flooded: '250,000 entries of all kinds together' },
  'packages/guard/src/testing.ts#issued': { closed: CLOSED.test },
  'packages/guard/src/verdict-cache.ts#kept': { flooded: 'a setting, the oldest go' },
  'src/auth/api-keys/turns.ts#last': { flooded: 'owners who wait just now' },
  'src/auth/audit/repeats.ts#own': { closed: 'one for each kind of refusal' },
  'src/auth/audit/repeats.ts#seen': { flooded: '100 of each kind in a minute' },
  'src/auth/grants/heard-endings.ts#known': { closed: '1,000 ids, those of the last seconds' },
  'src/auth/grants/last-use.ts#seen': { flooded: '100,000 grants' },
  'src/auth/grants/owner-endings.ts#ended': { closed: CLOSED.request },
  'src/auth/grants/recent-use.ts#places': { flooded: '262,144 places' },
  'src/auth/keys/key-ring.ts#keys': { closed: CLOSED.start },
  'src/auth/leases/open-polls.ts#polls': { flooded: '1,000 guards, and twice as many questions' },
  'src/auth/leases/publication.ts#open': { flooded: '10,000, the last ones' },
  'src/auth/leases/lease-holders.ts#holders': { flooded: '1,000 guards, and twice as many questions' },
  'src/auth/leases/lease-holders.ts#waits': { closed: CLOSED.request },
  'src/auth/leases/recent-revocations.ts#answers': { flooded: '100 places to go on from' },
  'src/auth/leases/recent-revocations.ts#finds': { flooded: '10,000 revocations, the oldest go' },
  'src/auth/receivers/event-sender.ts#runs': { closed: 'one for each receiver, of which there are 10' },
  'src/auth/receivers/receiver-upkeep.ts#seen': { closed: 'one for each receiver, of which there are 10' },
  'src/auth/secrets/secret-key-register.ts#warned': { closed: CLOSED.start },
  'src/auth/telemetry/telemetry.ts#queues': { closed: CLOSED.start },
  'src/auth/throttle/client-throttle.ts#blockedUntil': { elsewhere: 'test/auth/throttle.e2e-spec.ts' },
  'src/auth/tokens/jwt/proven-jwts.ts#keyAt': { flooded: '262,144 places' },
  'src/auth/tokens/jwt/proven-jwts.ts#keys': { flooded: '255 keys' },
  'src/auth/tokens/jwt/proven-jwts.ts#next': { flooded: '262,144 places' },
  'src/auth/tokens/jwt/proven-jwts.ts#texts': { flooded: '262,144 places' },
  'src/auth/users/fair-turns.ts#before': { flooded: 'the names of 256 turns' },
  'src/auth/users/fair-turns.ts#had': { flooded: 'the names of 256 turns' },
  'src/auth/users/fair-turns.ts#waiting': { flooded: '64 for each login at a time' },
  'src/auth/users/password-hash.ts#warned': { flooded: '16 warnings' },
  'src/auth/users/password-strength.ts#asked': { closed: 'one at a time, in the lane of logins' },
  'src/auth/registration/documents/client-documents.ts#running': {
    closed: 'one for each document that is read just now: 16 at once, 5 seconds each, and beyond that none',
  },
  'src/config/config.ts#problems': { closed: CLOSED.start },
  'src/database/database-session.ts#timers': { closed: CLOSED.start },
  'src/database/database.ts#done': { closed: CLOSED.request },
  'src/database/hot/hot-query.ts#rows': { closed: CLOSED.request },
  'src/database/hot/micro-batch.ts#waiting': { flooded: 'what the batch allows; beyond it 503' },
  'src/database/pinned-client.ts#inForce': { closed: CLOSED.start },
  'src/database/recent-endings.ts#kept': { flooded: '55,000 endings of ten minutes, the oldest go' },
  'src/http/body/body-reader.ts#chunks': { closed: CLOSED.request },
  'src/http/body/schema-pipe.ts#sent': { closed: CLOSED.request },
  'src/http/drain.ts#applications': { closed: CLOSED.start },
  'src/http/drain.ts#sockets': { closed: CLOSED.connection },
  'src/http/refusal-log.ts#told': { flooded: '100 kinds and networks, and one more for each kind' },
  'src/ops/http-traffic.ts#routes': { flooded: 'one for each route' },
  'src/ops/http-traffic.ts#strays': { flooded: 'one for each method that is known' },
  'src/server/workers/worker-pool.ts#filled': { closed: CLOSED.start },
  'src/server/workers/worker-pool.ts#members': { closed: CLOSED.start },
  'src/server/workers/rpc.ts#questions': { closed: CLOSED.request },
  'src/server/workers/member.ts#lastMetrics': { closed: CLOSED.start },
  'src/tracing/request-spans.ts#watched': { closed: CLOSED.request },
  'src/web/page-files.ts#files': { closed: CLOSED.start },
};

type Rows = { readonly goes: string } | { readonly closed: string };

/** Tables, without their partitions. What `goes` is gone when its time is over and the hourly maintenance has run. */
export const TABLES: Readonly<Record<string, Rows>> = {
  access_tokens: { goes: 'with the partition of their last day' },
  api_keys: { goes: '8 days after their end by time, a refresh token’s life after an earlier one' },
  attempt_counters: { goes: 'with their window; refused clients share 65,536' },
  audit_events: { goes: 'with their month, after AUDIT_RETENTION; 100 refusals of a kind in a minute' },
  authorization_codes: { goes: 'a day after their minute; LOGINS_PER_ACCOUNT in a window' },
  client_assertions: { goes: 'a minute after the time of the proof; it takes the key of a client' },
  client_documents: { closed: 'with its client, of which it has one' },
  client_registrations: { closed: 'with its client, of which it has one' },
  client_secrets: { closed: 'administrators; with its client, of which one that registers itself has one' },
  clients: {
    closed: 'administrators; MAX_REGISTERED_CLIENTS that register themselves, of which unused ones go',
  },
  device_codes: { goes: 'a day after their time; 10,000 at once, 1,000 of a client, 100 of a network' },
  ended_grants: { goes: '8 days after their end' },
  grants: {
    goes: '8 days after their end by time, a refresh token’s life after an earlier one; LOGINS_PER_ACCOUNT in a window',
  },
  guard_leases: { closed: 'one for each instance' },
  initial_access_tokens: { closed: 'administrators, and each goes 8 days after its time' },
  migrations: { closed: CLOSED.start },
  numbers_history: { closed: 'one for five minutes of a day' },
  owner_endings: { goes: 'when its grants have been swept; it takes 500 living grants to make one' },
  pushed_requests: { goes: 'a day after their time; 10,000 at once, 1,000 of a client, 100 of a network' },
  receivers: { closed: 'administrators, 10 at most' },
  refresh_tokens: { goes: 'with the partition of their last month' },
  revocations: { goes: 'a day after the last token that they end' },
  scope_descriptions: { closed: 'administrators' },
  secret_keys: { closed: CLOSED.start },
  signing_keys: { closed: 'rotation by time, and administrators' },
  undelivered_events: {
    closed:
      'taken, or given up after 3 days; 10,000 for each of 10 receivers, 100 of them of throttled logins: test/receivers/delivery.e2e-spec.ts',
  },
  token_exchanges: { goes: 'a day after the token; it takes a client that may exchange tokens' },
  used_proofs: {
    goes: 'when they could be accepted no more; whoever uses the next one takes them away, too',
  },
  users: { closed: 'administrators' },
};
