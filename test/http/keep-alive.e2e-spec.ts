import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** Idle for longer than a request may take to arrive, and than a silent newcomer is waited for. */
const SETTINGS = ['1s', '12s', '10m'];

interface Idle {
  /** One more request over the same connection. */
  ask(): Promise<string>;
  readonly closed: Promise<void>;
}

function idleConnection(url: string): Idle {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  return {
    closed,
    async ask() {
      heard = '';
      socket.write('GET /health/live HTTP/1.1\r\nHost: test\r\n\r\n');
      const whole = new Promise<void>((resolve) => {
        socket.on('data', () => heard.includes('{') && heard.endsWith('}') && resolve());
      });
      await Promise.race([whole, closed]);
      return heard;
    },
  };
}

describe('an idle connection', () => {
  let database: TestDatabase;
  const apps: TestApp[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    for (const KEEP_ALIVE of SETTINGS) apps.push(await startTestApp({ KEEP_ALIVE }, database));
  });

  afterAll(async () => {
    for (const { app } of apps) await app.close();
    await database.close();
  });

  it('lives as long as KEEP_ALIVE says, and no other limit of a request cuts it', async () => {
    const ended: string[] = [];
    const connections = apps.map(({ url }) => idleConnection(url));
    const answers = await Promise.all(connections.map((one) => one.ask()));
    connections.forEach(({ closed }, at) => void closed.then(() => ended.push(SETTINGS[at] ?? '')));
    await connections[1]?.closed;
    expect(ended).toEqual(['1s', '12s']);
    expect(await connections[2]?.ask()).toMatch(/^HTTP\/1\.1 200 /);
    expect(ended).toEqual(['1s', '12s']);
    expect(answers.map((text) => /^keep-alive: (.*)$/im.exec(text)?.[1]?.trim())).toEqual([
      'timeout=1',
      'timeout=12',
      'timeout=600',
    ]);
  }, 60_000);
});
