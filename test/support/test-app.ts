import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pino from 'pino';
import { Writable } from 'node:stream';
import { UsersService } from '../../src/auth/users/users.service.js';
import { OPERATOR } from '../../src/auth/request-origin.js';
import { loadConfig, type Config } from '../../src/config/config.js';
import { DatabaseSession } from '../../src/database/database-session.js';
import { connectionOf } from '../../src/database/pools.js';
import { DrainState } from '../../src/http/drain.js';
import { listen } from '../../src/http/http-app.js';
import { createApp } from '../../src/server/server.js';
import { createDatabase, type TestDatabase } from './database.js';
import { ManualClock } from './manual-clock.js';
import { watchServer } from './watch.js';

/** Good by the password policy. */
export const PASSWORD = 'seven brown biscuits under a blue moon';
export const SECRET_KEY = '6b656b736521206c65636b657221206b656b736521206c65636b657221206b6b';

export const ISSUER = 'http://127.0.0.1:3000';

/** `DATABASE_TIMEOUT` that no statement of a test reaches, and the product's own. */
export const FAR_AWAY = '20000';
/** Milliseconds: how long a validator of a test waits, which is not about that. */
export const PATIENT_MS = 60_000;
export const AS_SHIPPED = { DATABASE_TIMEOUT: '400' };

/** For what comes by itself: how long does not matter, and a busy machine takes its time. */
export const PATIENTLY = { timeout: 90_000, interval: 10 };

export interface TestApp {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly config: Config;
  readonly clock: ManualClock;
  readonly database: TestDatabase;
  /** Every line that the program has logged. */
  readonly log: string[];
  addUser(name: string, scope?: string, password?: string): Promise<void>;
  /** POST /issue -> the token */
  login(name: string, scope?: string, password?: string): Promise<string>;
  close(): Promise<void>;
}

/** The environment of a server on this database. */
export function environment(databaseUrl: string, extra: Record<string, string> = {}): Record<string, string> {
  return {
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    // tests are about what is done, and not about how fast the machine is; those of limits say so themselves
    DATABASE_TIMEOUT: FAR_AWAY,
    SECRET_KEY,
    ISSUER,
    PORT: '0',
    BCRYPT_COST: '4',
    SHUTDOWN_DELAY: '0',
    LOG_LEVEL: 'debug',
    // tests fail on purpose, all from one address
    LOGIN_FAILURES_PER_ACCOUNT: '1000',
    LOGIN_FAILURES_PER_ADDRESS: '100000',
    LOGIN_FAILURES_IN_A_ROW: '10000',
    LOGINS_PER_ACCOUNT: '100000',
    ...extra,
  };
}

/** The whole program, in this process, over real HTTP and on a database of its own. */
export async function startTestApp(
  extra: Record<string, string> = {},
  existing?: TestDatabase,
  /** What no environment of a database beside the program can say. */
  changed: Partial<Config> = {},
): Promise<TestApp> {
  const database = existing ?? (await createDatabase());
  const config = { ...loadConfig(environment(database.url, extra)), ...changed };
  const clock = new ManualClock();
  const log: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(chunk.toString());
      done();
    },
  });
  const drain = new DrainState();
  const app = await createApp({ config, clock, drain }, pino({ level: config.LOG_LEVEL, base: null }, sink));
  await app.get(DatabaseSession).connect(connectionOf(database.url, config.DATABASE_SCHEMA));
  const url = `http://127.0.0.1:${await listen(app, 0, '127.0.0.1')}`;
  watchServer('server in this process', url, log);
  return {
    app,
    url,
    config,
    clock,
    database,
    log,
    async addUser(name, scope = 'cookies:eat', password = PASSWORD) {
      const result = await app
        .get(UsersService)
        .addUnchecked(name, password, scope === '' ? [] : scope.split(' '), OPERATOR);
      if (!('added' in result)) throw new Error(result.flaw);
    },
    async login(user, scope, password = PASSWORD) {
      const answer = await post(url, '/issue', { user, password, ...(scope === undefined ? {} : { scope }) });
      if (answer.status !== 200) throw new Error(`POST /issue answered ${answer.status}`);
      return (answer.body as { token: string }).token;
    },
    async close() {
      await app.close();
      await database.close();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** JSON in, JSON out. */
export async function post(
  url: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return request(url, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export async function get(url: string, path: string, token?: string): Promise<Answer> {
  return request(url, path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
}

export async function request(url: string, path: string, init: RequestInit): Promise<Answer> {
  const answer = await fetch(url + path, { redirect: 'manual', ...init });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}
