import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { serverAccount } from '../../../src/database/embedded/server-account.js';
import { connectionOf } from '../../../src/database/pools.js';
import { freePort } from '../../support/ports.js';
import { lacking, part, versionOf } from '../../support/parts.js';

/** Undefined where there is none. */
export const PGBOUNCER = part('pgbouncer', 'PGBOUNCER');
if (!PGBOUNCER) lacking('pgbouncer', 'PGBOUNCER');

/** From this version on it takes care of statements with names, in transaction mode. */
export const KEEPS_STATEMENTS = PGBOUNCER !== undefined && versionOf(PGBOUNCER) >= 1.21;

export interface PgBouncer {
  /** @param url of a database behind it -> the same through it */
  through(url: string): string;
  /** Other settings, or another server, from now on. */
  reload(change: { readonly host?: string; readonly settings?: Settings }): Promise<void>;
  /** A command for its console. */
  command(text: string): Promise<void>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

type Settings = Readonly<Record<string, string | number>>;

/** @param server the directory of its socket, from its URL */
export async function startPgBouncer(server: string, settings: Settings = {}): Promise<PgBouncer> {
  await openWay(server);
  const folder = await mkdtemp(join(tmpdir(), 'keks-pgbouncer-'));
  const { uid, gid } = await stat(hostOf(server));
  await chown(folder, uid, gid);
  const port = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const state = { host: hostOf(server), settings };
  const write = (): Promise<void> => writeFile(file, configuration(state, folder, port));
  await write();
  const account = await serverAccount(folder);
  // it does not run as root; what it says is in its log
  const child = spawn(PGBOUNCER ?? '', ['-q', file], { ...account, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const log = (): Promise<string> => readFile(join(folder, 'log'), 'utf8').catch(() => '');
  const command = async (text: string): Promise<void> => {
    const client = new Client({ host: '127.0.0.1', port, user: 'admin', database: 'pgbouncer' });
    await client.connect();
    // it knows no other protocol than that of plain texts
    await client.query(text);
    await client.end();
  };
  await untilAnswering(() => command('SHOW VERSION'), child, log);
  return {
    through(url) {
      const { pathname } = new URL(url);
      return `postgresql://keks@127.0.0.1:${port}${pathname}`;
    },
    async reload(change) {
      if (change.host !== undefined) await openWay(change.host);
      Object.assign(state, change.host === undefined ? {} : { host: hostOf(change.host) });
      state.settings = { ...state.settings, ...change.settings };
      await write();
      await command('RELOAD');
    },
    command,
    log,
    async stop() {
      child.kill('SIGQUIT');
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** A test's own folder is closed to all but its user, and PgBouncer is another one. */
async function openWay(server: string): Promise<void> {
  await chmod(dirname(hostOf(server)), 0o711);
}

function hostOf(server: string): string {
  return server.startsWith('/') ? server : (connectionOf(server).host ?? '');
}

function configuration(
  { host, settings }: { host: string; settings: Settings },
  folder: string,
  port: number,
): string {
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    admin_users: 'admin',
    logfile: `${folder}/log`,
    max_client_conn: 500,
    default_pool_size: 20,
    ...settings,
  };
  const pairs = Object.entries(lines).map(([name, value]) => `${name} = ${value}`);
  return `[databases]\n* = host=${host} port=5432 user=keks\n[pgbouncer]\n${pairs.join('\n')}\n`;
}

async function untilAnswering(
  ask: () => Promise<void>,
  child: { exitCode: number | null },
  log: () => Promise<string>,
): Promise<void> {
  for (let attempt = 0; attempt < 400 && child.exitCode === null; attempt += 1) {
    const answered = await ask().then(
      () => true,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`PgBouncer did not start:\n${await log()}`);
}
