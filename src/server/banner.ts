import { DEMO_USER } from '../auth/users/demo-identity.js';
import type { Config } from '../config/config.js';

/** What `npm start` prints: where it is, and the story as three lines that work when pasted. */
export function banner(config: Config, port: number): string {
  const scheme = config.TLS_CERT ? 'https' : 'http';
  const host = ['0.0.0.0', '::'].includes(config.HOST) ? '127.0.0.1' : config.HOST;
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `${scheme}://${name}:${port}`;
  const documents = config.OPS_PORT === undefined ? url : `http://${name}:${config.OPS_PORT}`;
  const lines = [`Keks    ${url}`, `Console ${url}/console`, `Swagger ${documents}/docs`];
  return `\n  ${lines.join('\n  ')}\n${config.DEMO ? story(url, scheme === 'https' ? ' -k' : '') : ''}\n`;
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
