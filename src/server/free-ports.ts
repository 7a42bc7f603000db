import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Settings } from '../config/settings.js';
import { portRefusal, type PortSetting } from './port-refusal.js';

/**
 * Listens for a moment on the server's ports, before a database is made, which takes seconds and leaves a folder behind. If
 * the port is taken later, the server's own attempt says the same.
 * @throws StartRefusal
 */
export async function refuseTakenPorts(settings: Pick<Settings, 'HOST' | PortSetting>): Promise<void> {
  for (const setting of ['PORT', 'OPS_PORT'] as const) {
    const port = settings[setting];
    if (port === undefined || port === 0) continue;
    try {
      await tryPort(port, settings.HOST === 'localhost' ? '127.0.0.1' : settings.HOST);
    } catch (error) {
      throw portRefusal(error, settings, setting);
    }
  }
}

async function tryPort(port: number, host: string): Promise<void> {
  // whoever comes this early is cut off, and comes again
  const server = createServer((socket) => socket.destroy()).listen({ port, host, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
