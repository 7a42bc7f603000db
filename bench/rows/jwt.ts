import { writeFileSync, readFileSync } from 'node:fs';
import { cookies, unguarded, type FilledDatabase } from '../harness/bench.js';
import type { Program } from '../harness/process.js';
import { compare, rate, skipped, spread, throughput, type Row } from '../harness/row.js';

const TOKENS = 100_000;
/** Beside the usual warm-up: a signature is checked once a text, measured is the use of tokens that have been used before. */
const FIRST_USES_MS = 25_000;

export const jwt: Row = {
  name: 'jwt',
  number: 2,
  what: 'the same with a JWT checked by the authority',
  reach: '0.50',
  aim: '0.75',
  async run(bench) {
    const database = await bench.database();
    const keks = await bench.keks(database);
    const tokensFile = await issueJwts(keks, database);
    if (tokensFile === undefined) return skipped('this Keks does not issue JWTs');
    const [guarded, open] = [cookies(keks, tokensFile), unguarded(keks)];
    await bench.load({ ...guarded, milliseconds: FIRST_USES_MS });
    const seen = await bench.interleaved(
      { jwt: () => bench.load(guarded), unguarded: () => bench.load(open) },
      [guarded, open],
    );
    await bench.stop(keks);
    const { ratio, details } = compare(['jwt', seen.jwt], ['unguarded', seen.unguarded]);
    const note = `${rate(throughput(seen.jwt))} of ${rate(throughput(seen.unguarded))}, ${TOKENS} tokens`;
    return { result: spread(ratio), note, details: { tokens: TOKENS, ...details } };
  },
};

/** From the token endpoint, as a client that wants JWTs: logins would cost a bcrypt each. */
export async function issueJwts(
  keks: Program,
  { tokensFile }: FilledDatabase,
  count = TOKENS,
): Promise<string | undefined> {
  const [credentials] = readFileSync(`${tokensFile}.jwt-clients`, 'utf8').split('\n');
  const tokens: string[] = [];
  const one = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${keks.port}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: token } = (await answer.json()) as { access_token?: string };
    if (answer.status !== 200 || !token?.includes('.')) return false;
    tokens.push(token);
    return true;
  };
  if (!(await one())) return undefined;
  while (tokens.length < count) await Promise.all(Array.from({ length: 64 }, one));
  const file = `${tokensFile}.jwt`;
  writeFileSync(file, tokens.join('\n'));
  return file;
}
