import { addCodes, redemptions } from '../harness/codes.js';
import { startPeer } from '../harness/peer.js';
import { compare, rate, spread, throughput, type Row } from '../harness/row.js';

/** In each round, each of them once. */
const CODES = 3_000;

/** No client has a secret here: what is measured is the code, the verifier and the token. */
export const code: Row = {
  name: 'code',
  number: 13,
  what: 'a code and its verifier to a token, committed to disk / oidc-provider in memory',
  reach: 'report it',
  aim: '',
  async run(bench) {
    const database = await bench.database(Math.min(bench.options.tokens, 100_000));
    const rounds = bench.options.rounds + 1;
    const [keks, peer] = [await bench.keks(database), await startPeer(bench, { codes: CODES * rounds })];
    const theirCodes = peer.slices(rounds);
    const ours = async () =>
      bench.load(redemptions(keks.port, '/oauth/token', await addCodes(database, CODES)));
    const theirs = async () => bench.load(redemptions(peer.program.port, '/token', theirCodes()));
    // what comes first is compiled, and not measured
    await ours();
    await theirs();
    const seen = await bench.interleaved({ keks: ours, 'oidc-provider': theirs });
    await bench.stop(keks);
    await bench.stop(peer.program);
    const { ratio, details } = compare(['keks', seen.keks], ['oidc-provider', seen['oidc-provider']]);
    const note = `${rate(throughput(seen.keks))} to ${rate(throughput(seen['oidc-provider']))}`;
    return { result: spread(ratio), note, details };
  },
};
