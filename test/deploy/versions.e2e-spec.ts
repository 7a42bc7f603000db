import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/ports.js';
import { startProcess, type ServerProcess } from '../support/process.js';
import { loose } from '../support/program.js';
import { environment, PASSWORD, PATIENTLY, post } from '../support/test-app.js';
import { isVersionBeforeKnown, versionBefore, type Version } from './support/version-before.js';

type Verdict = 'active' | 'refused' | 'nothing';

const ISSUER = 'http://127.0.0.1:3000';
const SCRIPT = new URL('./support/guard-of-a-version.mjs', import.meta.url);
const GUARD = 'packages/guard/dist/jwt-validator.js';
const ROUNDS = 5;

/** Of one version, at one server. About a token it can ask nobody: what it takes for active, it has by its lease. */
class Guard {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (verdict: Verdict) => void>();
  private last = 0;

  constructor(
    readonly name: string,
    module: string,
    url: string,
    api: { readonly clientId: string; readonly clientSecret: string },
  ) {
    const options = {
      ...api,
      issuer: ISSUER,
      audience: ISSUER,
      jwksUri: `${url}/.well-known/jwks.json`,
      introspectionEndpoint: 'http://127.0.0.1:1/',
      revocationsEndpoint: `${url}/oauth/revocations`,
      timeoutMs: 10_000,
    };
    const GUARD_MODULE = pathToFileURL(resolve(module)).href;
    this.child = fork(SCRIPT, {
      env: { PATH: process.env.PATH, GUARD: JSON.stringify(options), GUARD_MODULE },
    });
    this.child.on('message', ({ id, verdict }: { id: number; verdict: Verdict }) => {
      this.waiting.get(id)?.(verdict);
      this.waiting.delete(id);
    });
  }

  ask(token: string): Promise<Verdict> {
    this.last += 1;
    const id = this.last;
    return new Promise((answer) => {
      this.waiting.set(id, answer);
      this.child.send({ id, token });
    });
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

describe.skipIf(!isVersionBeforeKnown)(
  'two versions beside each other on one database, with guards of both',
  () => {
    let before: Version;
    let database: TestDatabase;
    const ports: number[] = [];
    const servers: ServerProcess[] = [];
    const guards: Guard[] = [];

    const settings = (port: number | undefined): Record<string, string> =>
      environment(database.url, { PORT: String(port), LEASE_TTL: '2s' });

    /** With the command line of the version before: the schema is still its own. */
    function keks(args: readonly string[], input?: string): string {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [before.file('dist/src/cli.js'), ...args],
        {
          env: { PATH: process.env.PATH, ...settings(0) },
          encoding: 'utf8',
          ...(input !== undefined && { input }),
        },
      );
      if (status !== 0) throw new Error(stderr);
      return stdout;
    }

    beforeAll(async () => {
      before = versionBefore();
      loose('main');
      database = await createDatabase({ empty: true });
      ports.push(await freePort(), await freePort());
      servers.push(await startProcess(settings(ports[0]), before.file('dist/src/main.js')));
      keks(['user', 'add', 'Ann', '--scope', 'cookies:eat', '--password-stdin'], PASSWORD);
      const added = JSON.parse(keks(['client', 'add', 'bakery', '--audience', ISSUER, '--json'])) as {
        client_id: string;
        client_secret: string;
      };
      const api = { clientId: added.client_id, clientSecret: added.client_secret };
      const follow = (server: ServerProcess | undefined, of: string): void => {
        guards.push(new Guard(`before at ${of}`, before.file(GUARD), server?.url ?? '', api));
        guards.push(new Guard(`now at ${of}`, GUARD, server?.url ?? '', api));
      };
      follow(servers[0], 'before');
      // it migrates the schema while the one before serves
      servers.push(await startProcess(settings(ports[1])));
      follow(servers[1], 'now');
    });

    afterAll(async () => {
      for (const guard of guards) guard.stop();
      await Promise.all(servers.map((server) => server.stop('SIGINT')));
      await database?.close();
      before?.remove();
    });

    const verdicts = async (token: string): Promise<string[]> =>
      Promise.all(guards.map(async (guard) => `${guard.name}: ${await guard.ask(token)}`));
    const all = (verdict: Verdict): string[] => guards.map(({ name }) => `${name}: ${verdict}`);

    async function issue(server: ServerProcess | undefined): Promise<string> {
      const answer = await post(server?.url ?? '', '/issue', {
        user: 'Ann',
        password: PASSWORD,
        format: 'jwt',
      });
      expect(answer.status).toBe(200);
      return (answer.body as { token: string }).token;
    }

    /** Issued by each, and taken back at each: dead in every guard with the answer. */
    async function revokedEverywhere(): Promise<void> {
      for (let round = 0; round < ROUNDS; round += 1)
        for (const issuing of servers)
          for (const revoking of servers) {
            const token = await issue(issuing);
            await expect.poll(() => verdicts(token), PATIENTLY).toEqual(all('active'));
            expect((await post(revoking.url, '/revoke', { token })).status).toBe(200);
            expect((await verdicts(token)).filter((one) => one.endsWith('active'))).toEqual([]);
            await expect.poll(() => verdicts(token), PATIENTLY).toEqual(all('refused'));
          }
    }

    it('a JWT is dead in all guards once its revoke is answered, by whichever version', revokedEverywhere);

    it('and goes on so when the one before gives way to this one on its port, with its guards', async () => {
      const token = await issue(servers[1]);
      await expect.poll(() => verdicts(token), PATIENTLY).toEqual(all('active'));
      await servers[0]?.stop();
      // its guards have a lease of the server that has gone, which the other one knows of
      expect((await post(servers[1]?.url ?? '', '/revoke', { token })).status).toBe(200);
      expect((await verdicts(token)).filter((one) => one.endsWith('active'))).toEqual([]);
      servers[0] = await startProcess(settings(ports[0]));
      await revokedEverywhere();
    });
  },
);
