/** Keks will not start on this data directory. The message is one line and names the mend. */
export class EmbeddedRefusal extends Error {
  override readonly name = 'EmbeddedRefusal';
}

/** Another Keks holds the data directory. If that Keks is about to start or stop, another attempt may succeed. */
export class DirectoryHeld extends EmbeddedRefusal {}

const CAUSES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied: make it writable for this user, or choose another DATA_DIR',
  EPERM: 'permission denied: make it writable for this user, or choose another DATA_DIR',
  EROFS: 'it is on a read-only file system: choose another DATA_DIR',
  ENOSPC: 'no space left on the device: free some, or choose another DATA_DIR',
  EDQUOT: 'the disk quota is used up: free some space, or choose another DATA_DIR',
  ENOTDIR: 'a part of the path is a file, not a folder: choose another DATA_DIR',
  EEXIST: 'a part of the path is a file, not a folder: choose another DATA_DIR',
  EBUSY: 'it is a mount point or otherwise in use: mount its parent folder instead',
  ENAMETOOLONG: 'the path is too long: choose another DATA_DIR',
  ELOOP: 'the path runs in a circle of links: choose another DATA_DIR',
};

/** The code of a system or SQL error, e.g. `ENOENT` or `57P03`; an empty string for anything else. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the file system denied the access. */
export function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error));
}

/** The message of any error, as one line of text. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim();
}

/** Runs `work`, and turns a file system error in it into an {@link EmbeddedRefusal} about `dataDir`. */
export async function refuseOnFileErrors<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const cause = CAUSES[errorCode(error)];
    if (error instanceof EmbeddedRefusal || cause === undefined) throw error;
    const path = error instanceof Error && 'path' in error ? String(error.path) : dataDir;
    throw new EmbeddedRefusal(`Keks cannot keep its data in ${path}: ${cause}`, { cause: error });
  }
}
