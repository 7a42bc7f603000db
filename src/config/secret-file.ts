import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dataDirFlaw } from './data-dir-trust.js';
import { makingSecret } from './parsers.js';
import { ConfigError } from './read-settings.js';

/**
 * The secret key of an embedded authority: `DATA_DIR/secret.key`, hex, mode 0600, made once.
 * A database without its key is refused: a new key would silently kill every token and every password in it.
 */
export function embeddedSecretKey(dataDir: string): Buffer {
  const file = join(dataDir, 'secret.key');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // checked again: the folder may belong to somebody else since the settings were checked
    const flaw = dataDirFlaw(dataDir);
    if (flaw !== undefined) throw new ConfigError([flaw]);
    if (!existsSync(file)) makeKey(file, dataDir);
    return makingSecret(readFileSync(file, 'utf8').trim());
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const why =
      error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : 'unreadable';
    throw new ConfigError([
      `DATA_DIR cannot be used: ${resolve(file)} (${why}). Choose a directory of your own.`,
    ]);
  }
}

function makeKey(file: string, dataDir: string): void {
  if (existsSync(join(dataDir, 'postgres', 'PG_VERSION')))
    throw new ConfigError([
      `DATA_DIR has a database but no secret.key: set the SECRET_KEY that it was made with (after "keks init" it is in .env), or restore ${resolve(file)} from your backup. To begin anew and lose all that is in it, remove ${resolve(dataDir)}.`,
    ]);
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    // link() refuses to replace: of two first starts at once, both end with the same key
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
