import { accessSync, constants, existsSync, statSync, type Stats } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { dataDirFlaw } from '../../../config/data-dir-trust.js';
import { fail, ok, warn, type Finding } from './finding.js';

const PACKAGE = 'keks/package.json';

/** Node against the range that package.json promises: alternatives of `^major.minor.patch` and `>=major.minor.patch`. */
export function checkNode(version: string = process.versions.node): Finding {
  const range: string = createRequire(import.meta.url)(PACKAGE).engines.node;
  const fits = range.split('||').some((part) => matches(version, part.trim()));
  return fits
    ? ok('node', `Node ${version}`)
    : fail('node', `Node ${version} is not among those that Keks is tested with`, `install Node ${range}`);
}

function matches(version: string, part: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [, operator, wantedMajor, wantedMinor] = /^(\^|>=)(\d+)\.(\d+)/.exec(part) ?? [];
  const wanted = { major: Number(wantedMajor), minor: Number(wantedMinor) };
  if (major === wanted.major) return minor >= wanted.minor;
  return operator === '>=' && major > wanted.major;
}

export function checkConfiguration(problems: readonly string[]): Finding[] {
  if (problems.length === 0) return [ok('configuration', 'every setting is valid')];
  return problems.map((problem) => fail('configuration', problem, 'correct the environment'));
}

/** More processes than CPUs only take turns, and each has memory of its own. */
export function checkWorkers(workers: number, cpus = availableParallelism()): Finding[] {
  if (workers === 1) return [];
  const fact = `WORKERS=${workers} on ${cpus} CPUs`;
  return [
    workers <= cpus
      ? ok('workers', fact)
      : warn('workers', fact, 'set WORKERS to auto, or to fewer than CPUs'),
  ];
}

/**
 * Whether DATA_DIR can be used, and by its owner only: it holds SECRET_KEY.
 * @param keyIsSet SECRET_KEY is set, and no file with it is needed
 */
export function checkDataDir(dataDir: string, keyIsSet = false): Finding[] {
  const folder = resolve(dataDir);
  const found = look(folder);
  if (!found) return [ok('data directory', `${folder} does not exist yet; the first start makes it`)];
  if (!found.isDirectory())
    return [fail('data directory', `${folder} is no folder`, 'choose another DATA_DIR')];
  if (!isUsable(folder))
    return [
      fail(
        'data directory',
        `${folder} is closed to this user`,
        'be the user who runs Keks, or mend its mode',
      ),
    ];
  const flaw = dataDirFlaw(folder);
  if (flaw !== undefined) return [fail('data directory', flaw, 'mend its owner or its mode')];
  return [ok('data directory', folder), ...checkKeyFile(folder, keyIsSet)];
}

function checkKeyFile(folder: string, keyIsSet: boolean): Finding[] {
  const file = join(folder, 'secret.key');
  const found = look(file);
  if (!found) {
    if (keyIsSet || !existsSync(join(folder, 'postgres', 'PG_VERSION'))) return [];
    return [
      fail(
        'secret key',
        `${file} is missing beside its database`,
        'set the SECRET_KEY that it was made with (.env?), or restore the file from your backup',
      ),
    ];
  }
  const open = process.platform !== 'win32' && (found.mode & 0o077) !== 0;
  return open
    ? [fail('secret key', `${file} can be read by other users`, `chmod 600 ${file}`)]
    : [ok('secret key', 'readable by its owner only')];
}

export function checkSecretInEnvironment(dataDir: string, fromEnvironment: boolean): Finding[] {
  if (!fromEnvironment || !existsSync(join(dataDir, 'secret.key'))) return [];
  return [
    warn(
      'secret key',
      'SECRET_KEY is set and DATA_DIR has a secret.key: the first counts',
      'unset SECRET_KEY, or remove the file once you know that it is not needed',
    ),
  ];
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function isUsable(folder: string): boolean {
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
