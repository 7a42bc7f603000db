import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.js';
import { listen } from '../http/http-app.js';
import { StartRefusal } from '../config/start-refusal.js';

/** @returns the port. @throws StartRefusal when nobody can listen there */
export async function listenOrRefuse(
  app: NestFastifyApplication,
  config: Config,
  setting: 'PORT' | 'OPS_PORT',
): Promise<number> {
  const wanted = config[setting] ?? 0;
  try {
    return await listen(app, wanted, config.HOST);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const where = `${config.HOST}:${wanted}`;
    if (code === 'EADDRINUSE')
      throw new StartRefusal(`${where} is taken: stop what listens there, or choose another ${setting}.`);
    if (code === 'EACCES')
      throw new StartRefusal(
        `${where} needs more rights than this user has: choose a ${setting} above 1023.`,
      );
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartRefusal(`${config.HOST} is no address of this machine: correct HOST.`);
    throw error;
  }
}
