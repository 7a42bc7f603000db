import type { Settings } from '../config/settings.js';
import { StartRefusal } from '../config/start-refusal.js';

export type PortSetting = 'PORT' | 'OPS_PORT';

/**
 * Explains why the server cannot listen there, and what to do. An error that is not about the settings comes back
 * unchanged.
 */
export function portRefusal(
  error: unknown,
  settings: Pick<Settings, 'HOST' | PortSetting>,
  setting: PortSetting,
): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${settings.HOST}:${settings[setting] ?? 0}`;
  if (code === 'EADDRINUSE')
    return new StartRefusal(`${where} is taken: stop what listens there, or choose another ${setting}.`);
  if (code === 'EACCES')
    return new StartRefusal(`${where} needs more rights than this user has: choose a ${setting} above 1023.`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new StartRefusal(`${settings.HOST} is no address of this machine: correct HOST.`);
  return error;
}
