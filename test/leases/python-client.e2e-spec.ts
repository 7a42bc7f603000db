import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimsOf, headerOf } from '../support/forge.js';
import { addClient, clientToken } from '../support/oauth.js';
import { takeAway } from '../support/outage.js';
import { PASSWORD, PATIENTLY, post, request, startTestApp, type TestApp } from '../support/test-app.js';

const FOLDER = new URL('../../examples/python/', import.meta.url).pathname;
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) process.stdout.write('  python3 is not installed: its client of the feed is not tested\n');

const ASKED = `
import json, sys, threading
sys.path.insert(0, sys.argv[1])
from guard import Guard
guard = Guard(*sys.argv[2:5])
threading.Thread(target=guard.follow, daemon=True).start()
for line in sys.stdin:
    token = json.loads(line)
    print(guard.judge(token["claims"], token["kid"]), flush=True)
`;

describe.skipIf(!hasPython)('examples/python/guard.py', () => {
  let keks: TestApp;
  let child: ChildProcess;
  let lines: Interface;

  beforeAll(async () => {
    keks = await startTestApp({ LEASE_TTL: '2s' });
    await keks.addUser('Ann', 'cookies:eat keks:admin');
    const api = await addClient(keks, { name: 'bakery', scope: [], audience: [keks.config.AUDIENCE] });
    child = spawn('python3', ['-c', ASKED, FOLDER, keks.url, api.clientId, api.clientSecret], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    lines = createInterface(child.stdout!);
  });

  afterAll(async () => {
    child.kill('SIGKILL');
    await keks.close();
  });

  const judge = (token: string): Promise<string> =>
    new Promise((resolve) => {
      lines.once('line', resolve);
      child.stdin?.write(`${JSON.stringify({ claims: claimsOf(token), kid: headerOf(token)['kid'] })}\n`);
    });
  const comes = (verdict: string, token: string): Promise<void> =>
    expect.poll(() => judge(token), PATIENTLY).toBe(verdict);
  const isAlive = (token: string): Promise<void> => comes('alive', token);
  /** Never alive again. On a slow machine its lease may be over, and then it asks. */
  const isDead = async (token: string): Promise<void> => {
    expect(await judge(token)).not.toBe('alive');
    await comes('dead', token);
  };

  async function jwt(scope?: string): Promise<{ token: string; refresh_token?: string }> {
    const body = { user: 'Ann', password: PASSWORD, format: 'jwt', ...(scope && { scope }) };
    return (await post(keks.url, '/issue', body)).body as { token: string };
  }

  it('has 60 lines at most', () => {
    expect(readFileSync(`${FOLDER}guard.py`, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(60);
  });

  it('refuses a JWT from the answer to its revoke on, and takes the others', async () => {
    const [{ token: dead }, { token: living }] = [await jwt(), await jwt()];
    await isAlive(dead);
    await post(keks.url, '/revoke', { token: dead });
    await isDead(dead);
    await isAlive(living);
  });

  it('refuses those of a login that has ended', async () => {
    const { token, refresh_token } = await jwt('cookies:eat offline_access');
    await isAlive(token);
    await post(keks.url, '/revoke', { token: refresh_token });
    await isDead(token);
  });

  it('asks about those of a client that has ended, which say no login', async () => {
    const client = await addClient(keks, { tokenFormat: 'jwt' });
    const { access_token: token } = await clientToken(keks, client);
    await isAlive(token);
    const headers = { authorization: `Bearer ${await keks.login('Ann')}` };
    await request(keks.url, `/admin/clients/${client.clientId}/revoke`, { method: 'POST', headers });
    expect(await judge(token)).toBe('ask');
  });

  it('asks about every token when its lease is over, and no more when it has another', async () => {
    const { token } = await jwt();
    await isAlive(token);
    const outage = await takeAway(keks.database);
    await comes('ask', token);
    await outage.end();
    await isAlive(token);
  });
});
