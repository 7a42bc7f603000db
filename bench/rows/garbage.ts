import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { TokenKeys } from '../../src/auth/tokens/token-keys.js';
import { mintToken } from '../../src/auth/tokens/token-format.js';
import { loadConfig } from '../../src/config/config.js';
import { cookies, type FilledDatabase } from '../harness/bench.js';
import { environment } from '../harness/fill.js';
import { withClient } from '../harness/postgres.js';
import { compare, rate, throughput, type Row } from '../harness/row.js';

const REQUESTS = 1_000_000;
const KINDS = 30_000;

export const garbage: Row = {
  name: 'garbage',
  number: 6,
  what: 'garbage, forged and expired tokens: statements for 1,000,000 of them',
  reach: '0',
  aim: '0, faster than 1',
  async run(bench) {
    const database = await bench.database();
    const { logFile } = await bench.cluster();
    const bad = writeBadTokens(database);
    await logStatements(database, 'all');
    const watched = await bench.keks(database);
    const before = lookUps(logFile);
    // the count must be able to see something
    await bench.load(cookies(watched, database.tokensFile, { total: 64 }));
    const seenForGood = lookUps(logFile) - before;
    if (seenForGood === 0) throw new Error('PostgreSQL does not log the statements of lookups');
    await bench.load(cookies(watched, bad, { total: REQUESTS, milliseconds: 600_000, expect: 401 }));
    const statements = lookUps(logFile) - before - seenForGood;
    await bench.stop(watched);
    await logStatements(database, 'none');

    const keks = await bench.keks(database);
    const [refused, admitted] = [cookies(keks, bad, { expect: 401 }), cookies(keks, database.tokensFile)];
    const seen = await bench.interleaved(
      { garbage: () => bench.load(refused), guarded: () => bench.load(admitted) },
      [refused, admitted],
    );
    await bench.stop(keks);
    const { ratio, details } = compare(['garbage', seen.garbage], ['guarded', seen.guarded]);
    return {
      result: `${statements}`,
      note: `${rate(throughput(seen.garbage))}, ${ratio.median.toFixed(2)} of figure 1's ${rate(throughput(seen.guarded))}`,
      details: { statements, requests: REQUESTS, seenForGood, ...details },
    };
  },
};

/** A third of each: not spelled like a token, spelled well under another key, ours but over. */
function writeBadTokens({ tokensFile, url }: FilledDatabase): string {
  const ours = new TokenKeys(loadConfig(environment(url))).current;
  const theirs = new TokenKeys({ SECRET_KEY: randomBytes(32), SECRET_KEY_PREVIOUS: undefined }).current;
  const now = Math.floor(Date.now() / 1_000);
  const tokens = Array.from({ length: KINDS }, (_, at) => {
    if (at % 3 === 0) return randomBytes(43).toString('base64url').slice(0, 58);
    if (at % 3 === 1) return mintToken('kat_', now + 3_600, { ...theirs, id: ours.id });
    return mintToken('kat_', now - 1 - (at % 86_400), ours);
  });
  const file = `${tokensFile}.bad`;
  writeFileSync(file, tokens.join('\n'));
  return file;
}

async function logStatements({ url, name }: FilledDatabase, which: 'all' | 'none'): Promise<void> {
  await withClient(url, (client) => client.query(`ALTER DATABASE ${name} SET log_statement = '${which}'`));
}

/** Whatever the server asks on behalf of a request carries one of these names. */
function lookUps(logFile: string): number {
  return readFileSync(logFile, 'utf8').match(/ execute (look_up|describe|explain)_/g)?.length ?? 0;
}
