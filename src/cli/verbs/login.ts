import type { Command } from 'commander';
import type { Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';
import type { StoredLogin } from './login/stored-logins.js';

/** Gets a person a token for their scripts, from any server, without a password in the terminal (RFC 8628). */
export function login(program: Command, act: Act): void {
  program
    .command('login')
    .description('gets a token of yours from a server: you allow it in a browser, on any device')
    .addOption(once('--server <url>', 'its address, as its ISSUER has it').makeOptionMandatory())
    .addOption(
      once('--client <id>', 'a client of it that has the device grant and no secret').makeOptionMandatory(),
    )
    .addOption(once('--scope <scope>', 'space-separated; offline_access adds a refresh token'))
    .addOption(once('--resource <uri>', 'the API that the token is for'))
    .option('--print', 'prints the token instead of storing it')
    .addHelpText(
      ...examples(
        'keks login --server https://auth.example.com --client c-0123456789abcdef01234567',
        'keks login --server https://auth.example.com --client c-0123456789abcdef01234567 --scope cookies:eat --print',
      ),
    )
    .action(act(run));
}

interface Options {
  readonly server: string;
  readonly client: string;
  readonly scope?: string;
  readonly resource?: string;
  readonly print?: boolean;
}

async function run({
  server: text,
  client: clientId,
  scope,
  resource,
  print = false,
}: Options): Promise<Answer> {
  const [{ discover, serverOf }, { deviceLogin }, stored] = await Promise.all([
    import('./login/authority.js'),
    import('./login/device-login.js'),
    import('./login/stored-logins.js'),
  ]);
  const server = serverOf(text);
  const before = print ? {} : stored.readLogins();
  if (server in before)
    throw new Refusal('invalid_request', `You are logged in at ${server}: run "keks logout" first.`);
  const body = await deviceLogin(await discover(server), { clientId, scope, resource });
  const got = loginOf(body, clientId);
  if (print) return { json: body, text: got.access_token };
  const file = stored.loginsFile();
  stored.writeLogins({ ...stored.readLogins(), [server]: got });
  const { access_token: _, refresh_token: __, ...shown } = got;
  const until = got.expires_at === undefined ? '' : ` until ${got.expires_at}`;
  return {
    json: { server, ...shown, file },
    text: `Logged in at ${server}${until}. The token is in ${file}.`,
  };
}

/** @throws Refusal if there is no bearer token in it */
function loginOf(body: Readonly<Record<string, unknown>>, clientId: string): StoredLogin {
  const { access_token: token, token_type: type, expires_in: lasts, scope, refresh_token: refresh } = body;
  if (typeof token !== 'string' || typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw new Refusal('temporarily_unavailable', 'The server gave no bearer token.');
  return {
    client_id: clientId,
    access_token: token,
    token_type: type,
    ...(typeof lasts === 'number' && { expires_at: until(lasts) }),
    ...(typeof scope === 'string' && { scope }),
    ...(typeof refresh === 'string' && { refresh_token: refresh }),
  };
}

function until(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');
}
