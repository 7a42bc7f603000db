import type { Ask } from '../harness/bench.js';
import { CLIENTS } from '../harness/fill.js';
import { startPeer } from '../harness/peer.js';
import { compare, rate, spread, throughput, type Row } from '../harness/row.js';

export const clientCredentials: Row = {
  name: 'client-credentials',
  number: 4,
  what: 'client credentials, committed to disk / oidc-provider in memory',
  reach: '1.0x',
  aim: '2x',
  async run(bench) {
    const database = await bench.database();
    const [keks, peer] = [await bench.keks(database), await startPeer(bench)];
    const ours = tokenRequests(keks.port, '/oauth/token', `${database.tokensFile}.clients`);
    const theirs = tokenRequests(peer.program.port, '/token', peer.clientsFile);
    const seen = await bench.interleaved(
      { keks: () => bench.load(ours), 'oidc-provider': () => bench.load(theirs) },
      [ours, theirs],
    );
    await bench.stop(keks);
    await bench.stop(peer.program);
    const { ratio, details } = compare(['keks', seen.keks], ['oidc-provider', seen['oidc-provider']]);
    const note = `${rate(throughput(seen.keks))} to ${rate(throughput(seen['oidc-provider']))}, ${CLIENTS} clients`;
    return { result: spread(ratio), note, details };
  },
};

export function tokenRequests(port: number, path: string, valuesFile: string): Ask {
  return {
    port,
    method: 'POST',
    path,
    headers: { Authorization: 'Basic {}', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials&scope=cookies%3Aeat',
    valuesFile,
    expect: 200,
  };
}
