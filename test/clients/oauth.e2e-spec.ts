import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJwks } from '../../src/auth/clients/client-keys.js';
import { ClientsService, type NewClient } from '../../src/auth/clients/clients.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { UsersService } from '../../src/auth/users/users.service.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startInstance, type Instance } from '../support/instance.js';
import { ManualClock } from '../support/manual-clock.js';
import { BY_OPERATOR } from '../support/oauth.js';
import { freePort } from '../support/ports.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { environment, PASSWORD } from '../support/test-app.js';
import { runWithPerson } from './support/person.js';
import { authlib, GO, PYTHON, run, X_OAUTH2 } from './support/tools.js';

const PROGRAMS = resolve(import.meta.dirname, 'programs');

/** Libraries of other languages, which know the issuer and their own credentials, and nothing else. */
describe('every flow of OAuth 2, by a client that nobody here wrote', () => {
  let database: TestDatabase;
  let operator: Instance;
  let keks: ServerProcess;
  let folder: string;
  let clients: string;

  beforeAll(async () => {
    database = await createDatabase();
    operator = await startInstance(database.url, new ManualClock());
    const port = String(await freePort());
    const ISSUER = `http://127.0.0.1:${port}`;
    keks = await startProcess(environment(database.url, { ISSUER, PORT: port }));
    folder = await mkdtemp(join(tmpdir(), 'keks-oauth-clients-'));
    await operator.get(UsersService).addUnchecked('Ann', PASSWORD, ['cookies:eat'], OPERATOR);
    clients = JSON.stringify(await addClients());
  });

  afterAll(async () => {
    await keks?.stop();
    await operator?.close();
    await database?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function addClients(): Promise<Record<string, object>> {
    const all = operator.get<ClientsService>(ClientsService);
    const plain: NewClient = {
      ...{ name: 'a client', scope: ['cookies:eat'], audience: [], resources: [] },
      tokenFormat: 'opaque',
    };
    const app = { ...plain, redirectUris: ['http://127.0.0.1/done'] };
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwks = readJwks({ keys: [await exportJWK(publicKey)] }) ?? [];
    expect(jwks).toHaveLength(1);
    const told = ({ clientId, clientSecret }: { clientId: string; clientSecret?: string }) => ({
      client_id: clientId,
      ...(clientSecret !== undefined && { client_secret: clientSecret }),
    });
    return {
      open: told(await all.addPublic(app, BY_OPERATOR)),
      app: told(await all.add(app, BY_OPERATOR)),
      screen: told(await all.addPublic({ ...plain, deviceGrant: true }, BY_OPERATOR)),
      system: told(await all.add(plain, BY_OPERATOR)),
      signer: {
        ...told(await all.addWithKeys({ ...plain, jwks }, BY_OPERATOR)),
        private_key: await exportPKCS8(privateKey),
      },
    };
  }

  it.skipIf(!PYTHON)(
    'Authlib (Python): code, device, client credentials, private_key_jwt, refresh',
    async () => {
      const python = await authlib(PYTHON ?? '');
      await runWithPerson(keks.url, python, [join(PROGRAMS, 'authlib_story.py'), keks.url, clients], folder);
    },
  );

  it.skipIf(!GO)('golang.org/x/oauth2: code, device, client credentials, refresh', async () => {
    const go = GO ?? '';
    await copyFile(join(PROGRAMS, 'x-oauth2.go'), join(folder, 'main.go'));
    await writeFile(join(folder, 'go.mod'), 'module example.com/story\n\ngo 1.24\n');
    await run(go, ['get', X_OAUTH2], { cwd: folder });
    await run(go, ['build', '-o', 'story', '.'], { cwd: folder });
    await runWithPerson(keks.url, join(folder, 'story'), [keks.url, clients], folder);
  });
});
