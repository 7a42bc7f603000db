import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { userFolder } from '../../../config/user-folder.js';
import { Refusal } from '../../refusal.js';

/** What `keks login` got from a server. */
export interface StoredLogin {
  readonly client_id: string;
  readonly access_token: string;
  readonly token_type: string;
  /** In UTC; absent if the server did not say. */
  readonly expires_at?: string;
  readonly scope?: string;
  readonly refresh_token?: string;
}

/** By server. */
export type StoredLogins = Readonly<Record<string, StoredLogin>>;

export function loginsFile(): string {
  return join(userFolder(), 'logins.json');
}

/** @throws Refusal if it is there and cannot be read */
export function readLogins(file = loginsFile()): StoredLogins {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw unusable(file, 'read', error);
  }
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as StoredLogins;
  } catch {
    // told below
  }
  throw new Refusal('invalid_request', `${file} is not a list of logins: move it away, then log in again.`);
}

/** Readable by its owner only, and never half written: a complete new file replaces the old one. */
export function writeLogins(logins: StoredLogins, file = loginsFile()): void {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    if (Object.keys(logins).length === 0) return rmSync(file, { force: true });
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw unusable(file, 'written', error);
  }
}

function unusable(file: string, what: string, error: unknown): Refusal {
  const { code = 'no reason given' } = error as NodeJS.ErrnoException;
  return new Refusal('invalid_request', `${file} cannot be ${what} (${code}).`, { cause: error });
}
