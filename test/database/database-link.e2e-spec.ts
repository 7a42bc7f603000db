import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkLink } from '../../src/cli/verbs/doctor/database-checks.js';
import { checkSettings, loadConfig } from '../../src/config/config.js';
import { databaseLink } from '../../src/config/database-link.js';
import {
  connectionUrl,
  startEmbedded,
  type EmbeddedPostgres,
} from '../../src/database/embedded/embedded-postgres.js';
import { SOCKET_NAME } from '../../src/database/embedded/postgres-address.js';
import { openClient } from '../../src/database/pinned-client.js';
import { connectionOf } from '../../src/database/pools.js';
import { startFacts } from '../../src/server/start-log.js';
import { environment } from '../support/test-app.js';

const SECRET = 'nobody-on-the-way-may-read-this';
const HBA = `
local all asked_password password
local all asked_md5 md5
local all asked_scram scram-sha-256
local all all trust
`;

describe('a way to PostgreSQL that others can read', () => {
  let folder: string;
  let postgres: EmbeddedPostgres;
  let way: Server;
  let port: number;
  /** What Keks has sent over it. */
  let sent = Buffer.alloc(0);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keks-link-'));
    postgres = await startEmbedded({ dataDir: folder, settings: { fsync: 'off' } });
    const admin = new Client(connectionOf(connectionUrl(postgres.address)));
    await admin.connect();
    for (const [role, encryption] of [
      ['asked_password', 'scram-sha-256'],
      ['asked_md5', 'md5'],
      ['asked_scram', 'scram-sha-256'],
    ]) {
      await admin.query(`SET password_encryption = '${encryption}'`);
      await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${SECRET}'`);
    }
    await writeFile(join(folder, 'postgres', 'pg_hba.conf'), HBA);
    await admin.query('SELECT pg_reload_conf()');
    await admin.end();
    const socket = join(postgres.address.host, SOCKET_NAME);
    way = createServer((client) => {
      const server = connect(socket);
      client.on('data', (chunk) => (sent = Buffer.concat([sent, chunk])));
      client.on('error', () => server.destroy()).on('close', () => server.destroy());
      server.on('error', () => client.destroy());
      client.pipe(server).pipe(client);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => way.once('listening', resolve));
    port = (way.address() as AddressInfo).port;
  });

  afterAll(async () => {
    way.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    sent = Buffer.alloc(0);
  });

  // 0.0.0.0 gets to this machine, and is no name of it
  const open = (role: string, host: string) =>
    openClient(connectionOf(`postgresql://${role}:${SECRET}@${host}:${port}/keks?sslmode=disable`));

  it.each(['asked_password', 'asked_md5'])('does not get the password: %s', async (role) => {
    await expect(open(role, '0.0.0.0')).rejects.toThrow(
      /use scram-sha-256 in its pg_hba.conf, or sslmode=verify-full/,
    );
    const text = sent.toString('latin1');
    expect(text).toContain(role);
    expect(text).not.toContain(SECRET);
    expect(text).not.toMatch(/md5[0-9a-f]{32}/);
  });

  it('gets the proof of SCRAM', async () => {
    const client = await open('asked_scram', '0.0.0.0');
    await client.end();
    expect(sent.toString('latin1')).toContain('SCRAM-SHA-256');
    expect(sent.toString('latin1')).not.toContain(SECRET);
  });

  it.each(['asked_password', 'asked_md5'])('on this machine all of them are taken: %s', async (role) => {
    const client = await open(role, '127.0.0.1');
    await client.end();
  });
});

describe('DATABASE_URL', () => {
  const problems = (url: string, more: Record<string, string> = {}): string[] =>
    checkSettings({ ...environment(url), ...more }).problems;

  it.each([
    'postgresql://keks@db.example/keks',
    'postgresql://keks@192.0.2.1:5433/keks?application_name=x',
    'postgresql://keks@127.0.0.1,db.example/keks',
  ])('%s: beyond this machine it must say how the way is protected', (url) =>
    expect(problems(url)).toEqual([expect.stringMatching(/^DATABASE_URL .*verify-full, or sslmode=disable/)]),
  );

  it.each([
    ['postgresql://keks@db.example/keks?sslmode=verify-full', 'verified'],
    ['postgresql://keks@db.example/keks?sslmode=require', 'verified'],
    ['postgresql://keks@db.example/keks?sslmode=verify-ca', 'verified'],
    ['postgresql://keks@db.example/keks?sslmode=prefer', 'verified'],
    ['postgresql://keks@db.example/keks?ssl=true', 'verified'],
    ['postgresql://keks@db.example/keks?uselibpqcompat=true&sslmode=require', 'unverified'],
    ['postgresql://keks@db.example/keks?sslmode=no-verify', 'unverified'],
    ['postgresql://keks@db.example/keks?sslmode=disable', 'plain'],
    ['postgresql://keks@db.example/keks?ssl=false', 'plain'],
    ['postgresql://keks@localhost/keks', 'local'],
    ['postgresql://keks@127.0.0.1/keks', 'local'],
    ['postgresql://keks@[::1]/keks', 'local'],
    ['postgresql:///keks?host=%2Ftmp&user=keks', 'local'],
    ['postgresql://keks@127.0.0.1,localhost:5433/keks', 'local'],
    ['postgresql://keks@127.0.0.1,db.example/keks?sslmode=disable', 'plain'],
    ['postgresql://keks@127.0.0.1,db.example/keks?sslmode=verify-full', 'verified'],
  ] as const)('%s is %s', (url, link) => {
    expect(problems(url)).toEqual([]);
    expect(databaseLink(connectionOf(url))).toBe(link);
    const protectedWay = link === 'verified' || link === 'local';
    expect(checkLink({ DATABASE_URL: url })).toMatchObject([
      { check: 'link', status: protectedWay ? 'ok' : 'warn' },
    ]);
    const facts = JSON.stringify(startFacts(loadConfig(environment(url)), 3000));
    expect(facts.includes('can read and change everything')).toBe(!protectedWay);
  });

  it('asks for TLS by its strictest word, so that the driver has nothing to warn of', () => {
    const warned: unknown[] = [];
    const warn = (warning: unknown): void => void warned.push(warning);
    process.on('warning', warn);
    connectionOf('postgresql://keks@db.example/keks?sslmode=require');
    process.off('warning', warn);
    expect(warned).toEqual([]);
  });
});

describe('OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  const url = 'postgresql://keks@127.0.0.1/keks';
  const problems = (endpoint: string, more: Record<string, string> = {}): string[] =>
    checkSettings({ ...environment(url), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...more }).problems;

  it('is https beyond this machine, unless ALLOW_HTTP says that one knows', () => {
    expect(problems('http://collector.example:4318')).toEqual([
      expect.stringContaining('must be an https URL'),
    ]);
    expect(problems('http://collector.example:4318', { ALLOW_HTTP: 'true' })).toEqual([]);
    expect(problems('https://collector.example:4318')).toEqual([]);
    expect(problems('http://localhost:4318')).toEqual([]);
  });
});
