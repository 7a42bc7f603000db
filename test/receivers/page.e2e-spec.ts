import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_NAMES, eventUri } from '../../src/auth/receivers/event-types.js';
import { Receivers } from '../../src/auth/receivers/receivers.js';
import { addClient, BY_OPERATOR } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { ClientsService } from '../../src/auth/clients/clients.service.js';
import { PATIENTLY, startTestApp, type TestApp } from '../support/test-app.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(resolve(ROOT, 'docs/security-events.md'), 'utf8');

describe('docs/security-events.md', () => {
  let keks: TestApp;

  beforeAll(async () => {
    keks = await startTestApp({ RECEIVERS_PRIVATE_ADDRESSES: 'true' });
  });

  afterAll(() => keks.close());

  it('has a receiver that takes events, and refuses what is none', async () => {
    const port = await freePort();
    const code = /```js\n([^`]*(?:`[^`\n]*`[^`]*)*)```/.exec(PAGE)?.[1] ?? '';
    const here = code
      .replace('`${ISSUER}/.well-known', `\`${keks.url}/.well-known`)
      .replace('https://auth.example.com', keks.config.ISSUER)
      .replace('8080', String(port));
    expect(here).toContain('createRemoteJWKSet');
    const receiver = spawn(process.execPath, ['--input-type=module', '--eval', here], { cwd: ROOT });
    let said = '';
    receiver.stdout.on('data', (text: Buffer) => (said += text));
    receiver.stderr.on('data', (text: Buffer) => (said += text));
    const url = `http://127.0.0.1:${port}/`;
    const send = async (body: string): Promise<[number, string]> => {
      const answer = await fetch(url, { method: 'POST', body });
      return [answer.status, await answer.text()];
    };
    try {
      await expect
        .poll(() => send('').catch(() => []), PATIENTLY)
        .toEqual([400, expect.stringContaining('"err":"invalid_request"')]);
      const made = await keks.app
        .get(Receivers)
        .add({ name: 'siem', url, audience: 'https://siem.example.com/events' }, BY_OPERATOR);
      expect(made).toHaveProperty('added');
      const { clientId } = await addClient(keks);
      await keks.app.get(ClientsService).change(clientId, { disabled: true }, BY_OPERATOR);
      await expect.poll(() => said, PATIENTLY).toContain('client-disabled');
      expect(said).toContain(clientId);
      await expect.poll(async () => (await keks.app.get(Receivers).list())[0]?.delivered, PATIENTLY).toBe(1);
      // an access token is no event
      await keks.addUser('Ann');
      expect(await send(await keks.login('Ann'))).toMatchObject([400, expect.anything()]);
    } finally {
      receiver.kill();
    }
  });

  it('has each event, by its name and its address', () => {
    const names = [...PAGE.matchAll(/^\| `([a-z][a-z-]+)` +\|/gm)].map(([, name = '']) => name);
    expect(names.filter((name) => name !== 'verification').toSorted()).toEqual([...EVENT_NAMES].sort());
    for (const name of EVENT_NAMES) {
      const [, family = ''] =
        /secevent(\/[a-z]+\/event-type\/)/.exec(eventUri(name, 'https://keks.example')) ?? [];
      expect(PAGE).toContain(family);
    }
  });
});
