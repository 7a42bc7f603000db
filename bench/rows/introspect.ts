import type { Ask } from '../harness/bench.js';
import { firstLine, startPeer } from '../harness/peer.js';
import { compare, rate, spread, throughput, type Row } from '../harness/row.js';

const FORM = 'application/x-www-form-urlencoded';

export const introspect: Row = {
  name: 'introspect',
  number: 3,
  what: "`POST /oauth/introspect` / oidc-provider's, in memory",
  reach: '2.5x',
  aim: '4x',
  async run(bench) {
    const database = await bench.database();
    const [keks, peer] = [await bench.keks(database), await startPeer(bench)];
    const ours = introspections(
      keks.port,
      '/oauth/introspect',
      firstLine(`${database.tokensFile}.clients`),
      database.tokensFile,
    );
    const theirs = introspections(
      peer.program.port,
      '/token/introspection',
      peer.credentials,
      peer.tokensFile,
    );
    for (const one of [ours, theirs]) await mustBeActive(one);
    const seen = await bench.interleaved(
      { keks: () => bench.load(ours), 'oidc-provider': () => bench.load(theirs) },
      [ours, theirs],
    );
    await bench.stop(keks);
    await bench.stop(peer.program);
    const { ratio, details } = compare(['keks', seen.keks], ['oidc-provider', seen['oidc-provider']]);
    const note = `${rate(throughput(seen.keks))} to ${rate(throughput(seen['oidc-provider']))}`;
    return { result: spread(ratio), note, details };
  },
};

export function introspections(port: number, path: string, credentials: string, valuesFile: string): Ask {
  return {
    port,
    method: 'POST',
    path,
    headers: { Authorization: `Basic ${credentials}`, 'Content-Type': FORM },
    body: 'token={}',
    valuesFile,
    expect: 200,
  };
}

/** 200 is also the answer for a dead token: it would be a race of nothing. */
async function mustBeActive({ port, path, headers, valuesFile }: Ask): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { ...headers },
    body: `token=${firstLine(valuesFile ?? '')}`,
  });
  const text = await answer.text();
  if (!text.includes('"active":true')) throw new Error(`${path} answered ${answer.status} ${text}`);
}
