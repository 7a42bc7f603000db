import type { Ask } from '../harness/bench.js';
import { CLIENTS } from '../harness/fill.js';
import { startPeer } from '../harness/peer.js';
import type { Row } from '../harness/row.js';
import { besideOthers } from './beside.js';

export const clientCredentials: Row = {
  name: 'client-credentials',
  number: 4,
  what: 'client credentials, committed to disk / oidc-provider in memory',
  reach: '1.0x',
  aim: '2x',
  async run(bench) {
    const database = await bench.database();
    const peer = await startPeer(bench);
    const seen = await besideOthers(bench, database, {
      ours: ({ port }) => tokenRequests(port, '/oauth/token', `${database.tokensFile}.clients`),
      peer: tokenRequests(peer.program.port, '/token', peer.clientsFile),
    });
    await bench.stop(peer.program);
    return { ...seen, note: `${seen.note}, ${CLIENTS} clients` };
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
