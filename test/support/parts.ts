import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Where Debian puts servers, though not every PATH has it. */
const PLACES = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin'];

/** A program of the machine. @param setting names another one, e.g. PGBOUNCER=/opt/pgbouncer */
export function part(name: string, setting: string): string | undefined {
  const named = process.env[setting];
  if (named) return named;
  return PLACES.map((place) => join(place, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Told once a run: what was not tried. */
export function lacking(name: string, setting: string, from = 'Debian has it'): void {
  process.stderr.write(`skipped: ${name} is not installed (${from}; ${setting}=/path names another one)\n`);
}

/** `PgBouncer 1.25.2` -> 1.25 */
export function versionOf(program: string): number {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) + Number(minor) / 100;
}
