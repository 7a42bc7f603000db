import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Settings } from '../config/settings.js';
import { portRefusal, type PortSetting } from './port-refusal.js';

/**
 * Listens for a moment on the server's ports. This comes before the server makes a database, which takes seconds and
 * leaves a folder behind. If another program takes the port later, the server reports the same.
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
  // a client that connects this early is cut off, and connects again
  const server = createServer((socket) => socket.destroy()).listen({ port, host, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
