import { DEMO_USER } from '../auth/users/demo-identity.js';
import type { OfferedAdministrator } from './service.js';
import type { Config } from '../config/config.js';

/** The text that `npm start` prints: the address, and the story as three commands to paste. */
export function banner(config: Config, port: number, administrator?: OfferedAdministrator): string {
  const scheme = config.TLS_CERT ? 'https' : 'http';
  const host = ['0.0.0.0', '::'].includes(config.HOST) ? '127.0.0.1' : config.HOST;
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `${scheme}://${name}:${port}`;
  const documents = config.OPS_PORT === undefined ? url : `http://${name}:${config.OPS_PORT}`;
  const lines = [`Keks    ${url}`, `Console ${url}/console`, `Swagger ${documents}/docs`];
  const paragraphs = [`\n  ${lines.join('\n  ')}\n`];
  if (administrator !== undefined) paragraphs.push(forAdministration(administrator));
  if (config.DEMO) paragraphs.push(story(url, scheme === 'https' ? ' -k' : ''));
  return `${paragraphs.join('')}\n`;
}

function forAdministration(administrator: OfferedAdministrator): string {
  if (administrator === 'missing')
    return `
  For the administration in the console, make somebody who may do that:

npm run -s keks -- user add admin --scope keks:admin --generate
`;
  return `
  For the administration in the console, an administrator. This password is shown now and never again:

  user     ${administrator.user}
  password ${administrator.password}
`;
}

function story(url: string, insecure: string): string {
  const login = JSON.stringify({ user: DEMO_USER.user, password: DEMO_USER.password });
  const token = `node -pe 'JSON.parse(require("fs").readFileSync(0)).token'`;
  return `
  No cookie without a token, a token for a password, a cookie for a token:

curl -i${insecure} ${url}/cookies
TOKEN=$(curl -s${insecure} ${url}/issue -H 'Content-Type: application/json' -d '${login}' | ${token})
curl -i${insecure} ${url}/cookies -H "Authorization: Bearer $TOKEN"
`;
}
