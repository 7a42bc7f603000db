import { readFile, stat } from 'node:fs/promises';
import { EmbeddedRefusal, errorCode } from './embedded-refusal.js';

/** The unprivileged user that the server runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const PREFERRED = ['keks', 'postgres', 'nobody'];

/**
 * The user to run the server as. PostgreSQL refuses to run as root, and initdb needs a user that /etc/passwd knows.
 * Null: the server runs as the user that runs Keks. An existing cluster keeps its owner, so that adding a user
 * `postgres` to the machine later does not lock Keks out of its own data.
 * @throws EmbeddedRefusal if Keks runs as root and no suitable user exists
 */
export async function serverAccount(cluster: string): Promise<Account | null> {
  if (process.geteuid?.() !== 0) return null;
  const owner = await stat(cluster).catch(() => null);
  if (owner !== null && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = await passwd();
  for (const name of PREFERRED) {
    const account = accounts.get(name);
    if (account !== undefined) return account;
  }
  throw new EmbeddedRefusal(
    `PostgreSQL refuses to run as root, and /etc/passwd has none of ${PREFERRED.join(', ')}: ` +
      'start Keks as an ordinary user, or add a user "keks"',
  );
}

async function passwd(): Promise<Map<string, Account>> {
  const text = await readFile('/etc/passwd', 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const accounts = new Map<string, Account>();
  for (const line of text.split('\n')) {
    const [name = '', , uid, gid] = line.split(':');
    const account = { uid: Number(uid), gid: Number(gid) };
    if (account.uid > 0 && account.gid > 0) accounts.set(name, account);
  }
  return accounts;
}
