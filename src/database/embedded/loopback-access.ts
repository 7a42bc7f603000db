import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { errorCode } from './embedded-refusal.js';

/**
 * Windows: every user of the machine can reach TCP on 127.0.0.1, so a password keeps them out. Elsewhere the mode 0700
 * does.
 */
export const LOOPBACK = process.platform === 'win32';

/**
 * The generated password for TCP connections. The first call makes the file in one step, so no reader sees half of it.
 */
export async function loopbackPassword(dataDir: string): Promise<string> {
  const file = join(dataDir, 'postgres.password');
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, randomBytes(24).toString('base64url'), { mode: 0o600 });
    await link(draft, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

/** A port of 127.0.0.1 that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
