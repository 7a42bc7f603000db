import { writeFileSync } from 'node:fs';
import { SETTINGS } from '../../../config/settings.js';
import { Refusal } from '../../refusal.js';

const PLAIN = /^[A-Za-z0-9._~:/?@%=&+,-]*$/;

/** @param complete with the other settings as comments, each with its default */
export function envText(values: Readonly<Record<string, string>>, complete: boolean): string {
  const set = Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`);
  const others = Object.entries(SETTINGS)
    .filter(([name]) => !(name in values))
    .map(([name, { fallback = '', summary }]) => `# ${summary}\n#${name}=${fallback}`);
  return [
    '# Made by "keks init". What the environment says counts more. It holds secrets: nobody else may read it.',
    ...set,
    ...(complete ? ['', ...others] : []),
    '',
  ].join('\n');
}

/** Single quotes mean the same to Node and to Docker Compose: nothing between them is replaced. */
function quoted(value: string): string {
  if (PLAIN.test(value)) return value;
  if (!/['\r\n]/.test(value)) return `'${value}'`;
  throw new Refusal(
    'invalid_request',
    'A value has a quotation mark or a line end in it: percent-encode it.',
  );
}

/** @throws Refusal if it is there already: its secrets may be in use */
export function writeEnv(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    if (code === 'EEXIST')
      throw new Refusal(
        'invalid_request',
        `${file} is there already, and nothing was changed: its secrets may be in use.`,
      );
    throw new Refusal('server_error', `${file} could not be written (${code}).`, { cause: error });
  }
}
