import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Where programs keep what belongs to one person (XDG Base Directory): a path that is not absolute is to be ignored. */
export function userFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CONFIG_HOME: given, HOME: home } = environment;
  return join(given && isAbsolute(given) ? given : join(home || homedir(), '.config'), 'keks');
}
