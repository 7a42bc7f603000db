import { statSync, type Stats } from 'node:fs';
import { join, resolve } from 'node:path';

const WRITABLE_BY_ALL = 0o002;
const ROOT = 0;

/**
 * What is wrong with a DATA_DIR, if somebody else could have put the secret key or the whole database into it: another owner,
 * or everybody on this machine. The group is not checked, because volumes of Kubernetes have one.
 * @returns a line that names the setting and the mend; undefined also where there is nothing yet
 */
export function dataDirFlaw(dataDir: string): string | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const folder = resolve(dataDir);
  return flawOf(folder, uid, 'chmod o-w') ?? flawOf(join(folder, 'secret.key'), uid, 'chmod 600');
}

function flawOf(path: string, uid: number, mend: string): string | undefined {
  const found = look(path);
  if (!found) return undefined;
  if (found.uid !== uid && found.uid !== ROOT)
    return `DATA_DIR is not to be trusted: ${path} belongs to user ${found.uid}, and this is user ${uid}, so somebody else may have put a key or a database there. If it is yours, chown it; else choose another directory.`;
  if ((found.mode & WRITABLE_BY_ALL) !== 0)
    return `DATA_DIR is not to be trusted: everybody may write to ${path}, so anybody may have put a key or a database there. If all in it is yours, "${mend} ${path}"; else choose another directory.`;
  return undefined;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
