import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal, WrongUsage } from '../refusal.js';

/** Ends what `keks login` got: first at the server, then here. */
export function logout(program: Command, act: Act): void {
  program
    .command('logout')
    .description('ends what "keks login" got, at the server and here')
    .addOption(once('--server <url>', 'which one; needed if you are logged in at several'))
    .addHelpText(...examples('keks logout', 'keks logout --server https://auth.example.com'))
    .action(act(run));
}

async function run({ server: given }: { server?: string }): Promise<Answer> {
  const [authority, { refusalOf }, stored] = await Promise.all([
    import('./login/authority.js'),
    import('./login/device-login.js'),
    import('./login/stored-logins.js'),
  ]);
  const logins = stored.readLogins();
  const server = given === undefined ? theOnly(Object.keys(logins)) : authority.serverOf(given);
  const login = logins[server];
  if (!login) throw new Refusal('not_found', `You are not logged in at ${server}.`);
  const { revocation_endpoint: endpoint } = await authority.discover(server);
  // revoking the refresh token ends everything; without one, there is only this token
  const token = login.refresh_token ?? login.access_token;
  const said = await authority.sendForm(endpoint, { token, client_id: login.client_id });
  // if the client is gone, its tokens have ended with it
  if (said.status !== 200 && said.body['error'] !== 'invalid_client') throw refusalOf(said);
  const { [server]: _, ...others } = stored.readLogins();
  stored.writeLogins(others);
  return { json: { server, revoked: true }, text: `Logged out at ${server}: the token is dead.` };
}

/** @throws Refusal, WrongUsage */
function theOnly(servers: readonly string[]): string {
  const [first, ...more] = servers;
  if (first === undefined) throw new Refusal('not_found', 'You are not logged in anywhere.');
  if (more.length > 0) throw new WrongUsage(`Say where, with --server: ${servers.join(', ')}.`);
  return first;
}
