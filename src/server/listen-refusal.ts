import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Config } from '../config/config.js';
import { listen } from '../http/http-app.js';
import { portRefusal, type PortSetting } from './port-refusal.js';

/** @returns the port. @throws StartRefusal if the server cannot listen there */
export async function listenOrRefuse(
  app: NestFastifyApplication,
  config: Config,
  setting: PortSetting,
): Promise<number> {
  try {
    return await listen(app, config[setting] ?? 0, config.HOST);
  } catch (error) {
    throw portRefusal(error, config, setting);
  }
}
