import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, getCiphers, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from '../support/certificate.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { keksHere } from '../support/keks-here.js';
import { freePort } from '../support/ports.js';
import { launch, type ServerProcess } from '../support/process.js';
import { environment } from '../support/test-app.js';

interface SecureAnswer {
  readonly status: number | undefined;
  readonly hsts: string | undefined;
  readonly fingerprint: string;
}

/** One request on a connection of its own, whatever the certificate. */
async function get(port: number, path: string): Promise<SecureAnswer> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const fingerprint = socket.getPeerCertificate().fingerprint256;
  return new Promise((resolve, reject) => {
    request({ createConnection: () => socket, path, host: '127.0.0.1' }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        socket.destroy();
        resolve({
          status: answer.statusCode,
          hsts: answer.headers['strict-transport-security'],
          fingerprint,
        });
      });
    })
      .on('error', reject)
      .end();
  });
}

/** The suite that was agreed on, if any was. */
async function handshake(port: number, options: ConnectionOptions): Promise<string | undefined> {
  try {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    const { name } = socket.getCipher();
    socket.destroy();
    return name;
  } catch {
    return undefined;
  }
}

describe('TLS_CERT and TLS_KEY', () => {
  let database: TestDatabase;
  let folder: string;
  let server: ServerProcess;
  let port: number;

  let other: number | undefined;

  const writePair = async (keyType?: 'rsa'): Promise<void> => {
    const { cert, key } = await selfSigned(keyType);
    writeFileSync(join(folder, 'cert.pem'), cert);
    writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  };

  const settings = (extra: Record<string, string> = {}): Record<string, string> =>
    environment(database.url, {
      PORT: String(port),
      ISSUER: 'https://auth.example',
      TLS_CERT: join(folder, 'cert.pem'),
      TLS_KEY: join(folder, 'key.pem'),
      ...extra,
    });

  beforeAll(async () => {
    database = await createDatabase();
    folder = mkdtempSync(join(tmpdir(), 'keks-tls-'));
    port = await freePort();
    await writePair();
    server = launch(settings());
    for (let attempt = 0; attempt < 2_400; attempt += 1) {
      const ready = await get(port, '/health/ready').catch(() => undefined);
      if (ready?.status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(server.output());
  });

  afterAll(async () => {
    await server.stop();
    await database.close();
    rmSync(folder, { recursive: true });
  });

  it('serve HTTPS, and say to stay with it', async () => {
    const answer = await get(port, '/cookies');
    expect(answer.status).toBe(401);
    expect(answer.hsts).toBe('max-age=31536000');
  });

  it('answer nothing to plain HTTP', async () => {
    await expect(fetch(`http://127.0.0.1:${port}/cookies`)).rejects.toThrow();
  });

  it('and keks health asks by HTTPS, whatever name the certificate is for', async () => {
    expect(await keksHere(settings(), ['health', '--ready'])).toEqual({
      code: 0,
      stdout: `https://127.0.0.1:${port}/health/ready answers 200.\n`,
      stderr: '',
    });
  });

  it('are read again on SIGHUP', async () => {
    const before = await get(port, '/health/live');
    await writePair();
    server.child.kill('SIGHUP');
    await expect.poll(async () => (await get(port, '/health/live')).fingerprint).not.toBe(before.fingerprint);
  });

  it.each(['at the start', 'after SIGHUP'])(
    'speak with forward secrecy and AEAD only, TLS 1.3 where both can: %s',
    async (when) => {
      // a key with which every suite would work that wants RSA
      await writePair('rsa');
      const before = (await get(port, '/health/live')).fingerprint;
      const rsa =
        when === 'after SIGHUP' ? server : launch(settings({ PORT: String((other ??= await freePort())) }));
      if (rsa === server) server.child.kill('SIGHUP');
      const at = rsa === server ? port : (other ?? 0);
      await expect
        .poll(async () => (await get(at, '/health/live').catch(() => null))?.fingerprint)
        .toBeTruthy();
      if (rsa === server)
        await expect.poll(async () => (await get(at, '/health/live')).fingerprint).not.toBe(before);
      const spoken = new Set<string>();
      for (const suite of getCiphers().map((name) => name.toUpperCase())) {
        const version = suite.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2';
        const name = await handshake(at, {
          ciphers: version === 'TLSv1.3' ? suite : `${suite}:@SECLEVEL=0`,
          minVersion: version,
          maxVersion: version,
        });
        if (name) spoken.add(name);
      }
      expect([...spoken].sort()).toEqual([
        'ECDHE-RSA-AES128-GCM-SHA256',
        'ECDHE-RSA-AES256-GCM-SHA384',
        'ECDHE-RSA-CHACHA20-POLY1305',
        'TLS_AES_128_GCM_SHA256',
        'TLS_AES_256_GCM_SHA384',
        'TLS_CHACHA20_POLY1305_SHA256',
      ]);
      for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const)
        expect(
          await handshake(at, { ciphers: 'ALL:@SECLEVEL=0', minVersion: 'TLSv1', maxVersion }),
        ).toBeUndefined();
      expect(await handshake(at, {})).toMatch(/^TLS_/);
      if (rsa !== server) await rsa.stop();
    },
  );

  it('stay as they are when the new ones are no good', async () => {
    const before = await get(port, '/health/live');
    writeFileSync(join(folder, 'cert.pem'), 'not a certificate');
    server.child.kill('SIGHUP');
    await expect.poll(() => server.output()).toContain('correct them');
    expect((await get(port, '/health/live')).fingerprint).toBe(before.fingerprint);
  });

  it('that are no pair refuse the start in one line', async () => {
    const refused = launch(settings({ PORT: '0' }));
    expect(await refused.stop('SIGCONT')).toBe(1);
    expect(refused.output().trim()).toBe(
      'TLS_CERT and TLS_KEY are not a PEM certificate and its own key: correct them.',
    );
  });

  it('may be absent beyond loopback only if something else sees to it', async () => {
    const exposed = { HOST: '0.0.0.0', PORT: '0', TLS_CERT: '', TLS_KEY: '' };
    const refused = launch(settings(exposed));
    expect(await refused.stop('SIGCONT')).toBe(1);
    expect(refused.output()).toMatch(/^HOST=0\.0\.0\.0 would serve plain HTTP beyond this machine/);
  });
});
