import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';

const PATIENCE_MS = 2_500;
/** The address on this machine of a server that listens everywhere. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  '0.0.0.0': '127.0.0.1',
  '::': '[::1]',
  '[::]': '[::1]',
};

/** For supervisors that cannot send a request themselves, such as a container's health check. */
export function health(program: Command, act: Act): void {
  program
    .command('health')
    .description('asks the server that these settings are for whether it is alive; exit 1 if not')
    .option('--ready', 'whether it is ready, that is, its database answers too')
    .addHelpText(...examples('keks health', 'keks health --ready'))
    .action(act(run));
}

async function run({ ready = false }: { ready?: boolean }): Promise<Answer> {
  const { checkSettings } = await import('../../config/config.js');
  const { HOST, PORT, TLS_CERT } = checkSettings().settings;
  const host = EVERYWHERE[HOST] ?? (HOST.includes(':') && !HOST.startsWith('[') ? `[${HOST}]` : HOST);
  const url = `${TLS_CERT ? 'https' : 'http'}://${host}:${PORT}/health/${ready ? 'ready' : 'live'}`;
  const status = await ask(url);
  if (status !== 200) throw new Refusal('temporarily_unavailable', `${url} answers ${status}.`);
  return { json: { url, status }, text: `${url} answers ${status}.` };
}

/** The certificate is for the public name, and nothing secret is sent, so it is not looked at. @throws Refusal */
async function ask(url: string): Promise<number | undefined> {
  const [{ get }, { get: getSecurely }] = await Promise.all([import('node:http'), import('node:https')]);
  return new Promise((resolve, reject) => {
    const options = { agent: false as const, timeout: PATIENCE_MS, rejectUnauthorized: false };
    const send = url.startsWith('https:') ? getSecurely : get;
    const request = send(url, options, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    request.once('timeout', () => request.destroy(new Error('no answer in time')));
    request.once('error', (error) => {
      const why = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
      reject(new Refusal('temporarily_unavailable', `Nothing answers at ${url} (${why}).`));
    });
  });
}
