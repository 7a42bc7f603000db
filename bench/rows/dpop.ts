import { firstLine, startPeer } from '../harness/peer.js';
import type { Ask, Bench } from '../harness/bench.js';
import { environment } from '../harness/fill.js';
import type { Program } from '../harness/process.js';
import { Owner } from '../harness/proofs.js';
import { compare, spread, type Row } from '../harness/row.js';

/** In each round, each proof once. */
const PROOFS = 5_000;

interface Side {
  readonly program: Program;
  readonly path: string;
  /** As a proof has to spell it. */
  readonly url: string;
  readonly bearer: string;
  readonly bound: string;
}

/** One token of each kind, on both sides: what differs is the proof, and that it is remembered. */
export const dpop: Row = {
  name: 'dpop',
  number: 14,
  what: "a route with a proof (DPoP, ES256) / the same with a bearer token; beside it oidc-provider's userinfo, in memory",
  reach: 'report it',
  aim: '',
  async run(bench) {
    const database = await bench.database(Math.min(bench.options.tokens, 100_000));
    const owner = new Owner();
    const keks = await bench.keks(database);
    const peer = await startPeer(bench, { jkt: owner.jkt });
    const issuer = environment(database.url)['ISSUER'] ?? '';
    const credentials = firstLine(`${database.tokensFile}.clients`);
    const ours: Side = {
      ...{ program: keks, path: '/cookies', url: `${issuer}/cookies` },
      bearer: await tokenOf(keks, credentials),
      bound: await tokenOf(keks, credentials, owner.proof({ method: 'POST', url: `${issuer}/oauth/token` })),
    };
    const theirs: Side = {
      ...{ program: peer.program, path: '/me', url: `http://127.0.0.1:${peer.program.port}/me` },
      ...peer.userinfoTokens(),
    };
    const run = async (side: Side): Promise<Ask> => proofs(bench, side, owner);
    const sides = {
      keks: async () => bench.load(await run(ours)),
      'keks bearer': () => bench.load(bearer(ours)),
      'oidc-provider': async () => bench.load(await run(theirs)),
      'oidc-provider bearer': () => bench.load(bearer(theirs)),
    };
    // what comes first is compiled, and not measured
    for (const side of Object.values(sides)) await side();
    const seen = await bench.interleaved(sides);
    await bench.stop(keks);
    await bench.stop(peer.program);
    const kept = compare(['keks', seen.keks], ['keks bearer', seen['keks bearer']]);
    const peers = compare(
      ['oidc-provider', seen['oidc-provider']],
      ['oidc-provider bearer', seen['oidc-provider bearer']],
    );
    const between = compare(['keks', seen.keks], ['oidc-provider', seen['oidc-provider']]);
    return {
      result: spread(kept.ratio),
      note: `oidc-provider ${spread(peers.ratio)}; with proofs Keks to oidc-provider ${spread(between.ratio)}`,
      details: { keks: kept.details, 'oidc-provider': peers.details, between: between.ratio },
    };
  },
};

async function proofs(bench: Bench, { program, path, url, bound }: Side, owner: Owner): Promise<Ask> {
  const { folder } = await bench.cluster();
  // a file of its own each time: the generator keeps what it has built by that name
  const file = `${folder}/proofs-${program.port}-${process.hrtime.bigint()}`;
  return {
    ...{ port: program.port, method: 'GET', path, once: true, milliseconds: 60_000, expect: 200 },
    headers: { Authorization: `DPoP ${bound}`, DPoP: '{}' },
    valuesFile: owner.write(file, PROOFS, { method: 'GET', url, token: bound }),
  };
}

function bearer({ program, path, bearer: token }: Side): Ask {
  return {
    ...{ port: program.port, method: 'GET', path, total: PROOFS, milliseconds: 60_000, expect: 200 },
    headers: { Authorization: `Bearer ${token}` },
  };
}

async function tokenOf({ port }: Program, credentials: string, proof?: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}`, ...(proof !== undefined && { dpop: proof }) },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const body = (await answer.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`no token: ${answer.status} ${JSON.stringify(body)}`);
  return body.access_token;
}
