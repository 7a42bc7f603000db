// Known mistakes, put back one at a time. A server loads this file only when a test preloads it (`node --import`): with the
// name of a mistake in the query of its address (`mistakes.mjs?key-gone-too-early`), or without, and then the test tells it by
// message which one to make from now on. Nothing of the program knows of it.
const at = (path) => new URL(`../../dist/src/${path}`, import.meta.url).href;
const guard = (path) => new URL(`../../packages/guard/dist/${path}`, import.meta.url).href;

/** How to make none: the last one first. */
const undo = [];

/** @param make from what is right to what is wrong */
function spoil(object, key, make) {
  const right = object[key];
  object[key] = make(right);
  undo.push(() => (object[key] = right));
}

/** Statements that were spoiled: a connection that has prepared another one knows that by its name. */
let careless = 0;

/** From now on a statement goes without this part of it. @param instead what stands there */
async function without(statement, part, instead = '', method = 'run') {
  const { Database } = await import(at('database/database.js'));
  careless += 1;
  const as = `careless_${careless}`;
  spoil(
    Database.prototype,
    method,
    (run) =>
      function (right, values) {
        if (right.name !== statement) return run.call(this, right, values);
        return run.call(this, { ...right, name: as, text: right.text.replace(part, instead) }, values);
      },
  );
}

const MISTAKES = {
  /** A verdict is kept for a second: a token that was revoked elsewhere lives on here. */
  'cached-verdict': async () => {
    const { TokenCheck } = await import(at('auth/tokens/token-check.js'));
    const cache = new Map();
    spoil(
      TokenCheck.prototype,
      'validate',
      (validate) =>
        function (token) {
          const known = cache.get(token);
          if (known && Date.now() - known.at < 1_000) return known.verdict;
          const verdict = validate.call(this, token);
          cache.set(token, { at: Date.now(), verdict });
          return verdict;
        },
    );
  },

  /** A request joins a read that is in flight, and hears what was true before it came. */
  'joined-flight': async () => {
    const { TokenLookup } = await import(at('auth/tokens/token-lookup.js'));
    const flying = new Map();
    spoil(
      TokenLookup.prototype,
      'accessToken',
      (accessToken) =>
        function (token) {
          const key = token.digest.toString('hex');
          // a slow read makes visible what a fast one only hides
          const read =
            flying.get(key) ??
            accessToken
              .call(this, token)
              .then(async (stored) => {
                await new Promise((resolve) => setTimeout(resolve, 30));
                return stored;
              })
              .finally(() => flying.delete(key));
          flying.set(key, read);
          return read;
        },
    );
  },

  /** Whether all of an owner's grants have ended is not asked: each token lives until its own grant's row says so. */
  'no-endings': async () => {
    const { Database } = await import(at('database/database.js'));
    for (const method of ['run', 'runHot'])
      spoil(
        Database.prototype,
        method,
        (ask) =>
          function ({ name, text }, values) {
            const careless = text.replaceAll('EXISTS (SELECT FROM owner_endings)', 'false');
            return ask.call(
              this,
              { name: careless === text ? name : `careless_${name}`, text: careless },
              values,
            );
          },
      );
  },

  /** Whether a refresh token was used is read first, and written without asking again. */
  'read-then-write': async () => {
    const [{ Database }, { randomBytes }] = await Promise.all([
      import(at('database/database.js')),
      import('node:crypto'),
    ]);
    const { Successors } = await import(at('auth/oauth/successors.js'));
    const { digestOf, mintToken } = await import(at('auth/tokens/token-format.js'));
    spoil(
      Database.prototype,
      'run',
      (run) =>
        function (statement, values) {
          if (statement.name !== 'rotate_refresh_token') return run.call(this, statement, values);
          const text = statement.text.replace('AND r.used_at IS NULL', '');
          return run.call(this, { name: 'rotate_carelessly', text }, values);
        },
    );
    spoil(
      Database.prototype,
      'runHot',
      (runHot) =>
        function (statement, values) {
          if (statement.name !== 'rotate_refresh_tokens') return runHot.call(this, statement, values);
          const text = statement.text
            .replaceAll('seen.used_at IS NULL AND', '')
            .replace('AND r.used_at IS NULL', '');
          return runHot.call(this, { name: 'rotate_together_carelessly', text }, values);
        },
    );
    // and the successor is random, as it is wherever nobody thought of a lost answer
    spoil(
      Successors.prototype,
      'derive',
      () =>
        function (_token, expiresAt) {
          const token = mintToken('krt_', expiresAt, this.derivations[0].key, randomBytes(23));
          return { token, digest: digestOf(token), expiresAt };
        },
    );
  },

  /** A revoke is acknowledged, and committed a little later. */
  'early-acknowledgement': async () => {
    const { TokenRevocation } = await import(at('auth/tokens/token-revocation.js'));
    spoil(
      TokenRevocation.prototype,
      'revoke',
      (revoke) =>
        function (...args) {
          setTimeout(() => revoke.apply(this, args).catch(() => undefined), 30);
          return Promise.resolve();
        },
    );
  },

  /** A revoke is acknowledged as soon as it is committed: guards hear of it later. */
  'untold-guards': async () => {
    const { ToldGuards } = await import(at('auth/leases/told-guards.js'));
    spoil(ToldGuards.prototype, 'wait', () => async () => undefined);
  },

  /** What every guard has applied is taken out of the log. */
  'no-tombstones': async () => {
    const { ToldGuards } = await import(at('auth/leases/told-guards.js'));
    spoil(
      ToldGuards.prototype,
      'wait',
      (wait) =>
        async function () {
          await wait.call(this);
          await this.database.run({ name: 'no_tombstones', text: 'DELETE FROM revocations' });
        },
    );
  },

  /** A guard that has been answered counts as one that has applied the answer. */
  'sent-is-applied': async () => {
    const { GuardLeases } = await import(at('auth/leases/guard-leases.js'));
    spoil(
      GuardLeases.prototype,
      'answer',
      (answer) =>
        function (batch, position, ...more) {
          answer.call(this, batch, position, ...more);
          for (const { guard } of batch) this.holders.acknowledge(guard, position.snapshot);
        },
    );
  },

  /** Whether a code was used is read first, and written without asking again. */
  'code-read-then-used': () => without('use_code', 'AND c.used_at IS NULL'),

  /** Of a device's. */
  'device-code-read-then-used': () => without('use_device_code', 'AND d.used_at IS NULL'),

  /** Whoever uses a code again is refused, and nothing else comes of it. */
  'code-replayed-in-vain': async () => {
    const { CodeGrant } = await import(at('auth/oauth/code-grant.js'));
    const { WireError } = await import(at('http/errors/wire-error.js'));
    spoil(CodeGrant.prototype, 'kill', () => () => Promise.reject(new WireError('invalid_grant')));
  },

  /** A code is good for a minute, whatever became of the consent. */
  'code-without-consent': async () => {
    await without('find_code', 'g.revoked_at IS NOT NULL OR ');
    await without('use_code', 'AND g.revoked_at IS NULL');
  },

  /** A stolen refresh token is refused, and what came of it lives on. */
  'theft-in-vain': () => without('kill_replayed_grant', 'grants.id = used.grant_id', 'false'),

  /** What was made from a token lives on when that one is revoked. */
  'made-from-what-ended': async () => {
    for (const method of ['run', 'runHot'])
      await without('describe_access_tokens_with_grants', ' OR source.revoked', '', method);
  },

  /** What is bound to a key is taken for a bearer token as well. */
  'bound-as-bearer': async () => {
    const { BearerGuard } = await import(guard('bearer.guard.js'));
    spoil(
      BearerGuard.prototype,
      'principalIn',
      (principalIn) =>
        function (validation, visit, dpop) {
          if (dpop || !validation.active) return principalIn.call(this, validation, visit, dpop);
          const principal = { ...validation.principal, jkt: undefined };
          return principalIn.call(this, { ...validation, principal }, visit);
        },
    );
  },

  /** A proof has to be good, by whichever key. */
  'any-key': async () => {
    const { DpopVerifier } = await import(guard('dpop-verifier.js'));
    const { BearerGuard } = await import(guard('bearer.guard.js'));
    let wanted;
    spoil(
      BearerGuard.prototype,
      'principalIn',
      (principalIn) =>
        function (...args) {
          const principal = principalIn.apply(this, args);
          wanted = principal.jkt;
          return principal;
        },
    );
    spoil(
      DpopVerifier.prototype,
      'verify',
      (verify) =>
        async function (...args) {
          const jkt = wanted;
          const verdict = await verify.apply(this, args);
          const [, token] = args;
          return verdict.flaw === undefined && token !== undefined ? { ...verdict, jkt } : verdict;
        },
    );
  },

  /** Each process remembers for itself which proofs were used. */
  'proofs-of-a-process': async () => {
    const { UsedProofs } = await import(at('auth/dpop/used-proofs.js'));
    const used = new Set();
    spoil(
      UsedProofs.prototype,
      'isFirst',
      () =>
        async function (proof) {
          const name = proof.toString('hex');
          return !used.has(name) && Boolean(used.add(name));
        },
    );
  },

  /** None: what was made is undone. */
  none: async () => undefined,

  /** The password that was proved is not looked at again when the key is made: it may be the one before. */
  'unproved-key': async () => {
    const { ISSUE_API_KEY } = await import(at('auth/api-keys/api-keys.sql.js'));
    spoil(ISSUE_API_KEY, 'text', (text) => text.replace('password_hash = $12', '$12::text IS NOT NULL'));
    // a connection that has prepared the right one knows it by its name
    spoil(ISSUE_API_KEY, 'name', (name) => `careless_${name}`);
  },

  /** A new password leaves the keys alive. */
  'kept-keys': async () => {
    const { PasswordChange } = await import(at('auth/account/password-change.js'));
    spoil(
      PasswordChange.prototype,
      'change',
      (change) =>
        function (by, request, origin) {
          return change.call(this, by, { ...request, keys: false }, origin);
        },
    );
  },

  /** Rows move under a lock of the default partition only, and a revoke that touched no row is taken for done. */
  'revoke-of-no-row': async () => {
    const { Database } = await import(at('database/database.js'));
    const { MovedRows1796000000000 } = await import(at('../migrations/1796000000000-moved-rows.js'));
    const stepBack = async (pool) => {
      const client = await pool.connect();
      await client.query('BEGIN');
      // both servers do it
      await client.query('SELECT pg_advisory_xact_lock(1796)');
      await new MovedRows1796000000000().down({ query: (text) => client.query(text) });
      await client.query('COMMIT');
      client.release();
    };
    spoil(Database.prototype, 'run', (run) => {
      let back;
      return async function (statement, values) {
        await (back ??= stepBack(this.main));
        return statement.name.startsWith('living_') ? [] : run.call(this, statement, values);
      };
    });
  },

  /** A key makes as soon as it is here, and the other server has not heard of it. */
  'key-made-too-early': async () => {
    const [newest, ...others] = (process.env.SECRET_KEY_PREVIOUS ?? '').split(',').toReversed();
    if (!newest) return;
    process.env.SECRET_KEY_PREVIOUS = [process.env.SECRET_KEY, ...others].join(',');
    process.env.SECRET_KEY = newest;
  },

  /** The key before goes when the next one makes, and what was made with it lives. */
  'key-gone-too-early': async () => {
    delete process.env.SECRET_KEY_PREVIOUS;
  },

  /** What the database could not answer is taken for a no. */
  'fault-as-verdict': async () => {
    const { TokenCheck } = await import(at('auth/tokens/token-check.js'));
    spoil(
      TokenCheck.prototype,
      'validate',
      (validate) =>
        function (token) {
          return validate.call(this, token).catch(() => ({ active: false, reason: 'unknown' }));
        },
    );
  },
};

async function make(mistake) {
  for (const one of undo.splice(0).toReversed()) one();
  const put = MISTAKES[mistake];
  if (!put) throw new Error(`there is no mistake called ${mistake}`);
  await put();
}

const first = new URL(import.meta.url).search.slice(1);
if (first) await make(first);
else process.on('message', (mistake) => void make(mistake).then(() => process.send(mistake)));
