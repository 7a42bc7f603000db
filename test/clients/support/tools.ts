import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lacking, part } from '../../support/parts.js';

/** Generators and libraries, fetched once from their registries into a folder outside of this repository: `KEKS_CLIENTS` names another. */
const CACHE =
  process.env['KEKS_CLIENTS'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keks-clients');

const VERSIONS = {
  'oapi-codegen': '2.8.2',
  'openapi-generator': '7.25.0',
  'openapi-python-client': '0.29.1',
  'openapi-typescript': '7.13.0',
  '@redocly/cli': '2.77.0',
  authlib: '1.9.6',
} as const;

export const X_OAUTH2 = 'golang.org/x/oauth2@v0.38.0';

function wanted(name: string, setting: string): string | undefined {
  const program = part(name, setting);
  if (program === undefined) lacking(name, setting);
  return program;
}

/** What runs them; undefined where the machine has none. */
export const GO = wanted('go', 'GO');
export const JAVA = wanted('java', 'JAVA');
export const MAVEN = wanted('mvn', 'MAVEN');
export const PYTHON = wanted('python3', 'PYTHON');

/** @throws Error with all that it has said */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const options = {
    cwd,
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1_024 * 1_024,
    timeout: 800_000,
  };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...args], options);
    return stdout + stderr;
  } catch (error) {
    const { message, stdout = '', stderr = '' } = error as { message: string } & Record<string, string>;
    throw new Error(`${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** @param fetch brings it to the folder, once */
async function fetched(
  name: keyof typeof VERSIONS,
  file: string,
  fetch: (version: string, folder: string) => Promise<unknown>,
): Promise<string> {
  const version = VERSIONS[name];
  const folder = join(CACHE, `${name.replace('/', '-')}-${version}`);
  const path = join(folder, file);
  if (!existsSync(path)) {
    await mkdir(folder, { recursive: true });
    await fetch(version, folder);
  }
  return path;
}

export function oapiCodegen(go: string): Promise<string> {
  return fetched('oapi-codegen', 'oapi-codegen', (version, folder) =>
    run(go, ['install', `github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v${version}`], {
      env: { GOBIN: folder },
    }),
  );
}

/** @returns the archive that Java runs */
export function openapiGenerator(maven: string): Promise<string> {
  const name = 'openapi-generator-cli';
  return fetched('openapi-generator', `${name}-${VERSIONS['openapi-generator']}.jar`, (version, folder) =>
    run(maven, [
      ...['-q', '-B', 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'],
      ...[`-Dartifact=org.openapitools:${name}:${version}:jar`, `-DoutputDirectory=${folder}`],
    ]),
  );
}

/** @returns the `bin` of an environment of its own */
export async function pythonClient(python: string): Promise<string> {
  const tool = await fetched(
    'openapi-python-client',
    'bin/openapi-python-client',
    async (version, folder) => {
      await run(python, ['-m', 'venv', folder]);
      await run(join(folder, 'bin/pip'), ['install', '-q', `openapi-python-client==${version}`]);
    },
  );
  return join(tool, '..');
}

/** @returns the Python of an environment of its own */
export async function authlib(python: string): Promise<string> {
  const whole = await fetched('authlib', 'whole', async (version, folder) => {
    await run(python, ['-m', 'venv', folder]);
    await run(join(folder, 'bin/pip'), ['install', '-q', `authlib==${version}`, 'requests==2.34.2']);
    // only now: one that was broken off is fetched again
    await writeFile(join(folder, 'whole'), '');
  });
  return join(whole, '../bin/python');
}

export function fromNpm(name: 'openapi-typescript' | '@redocly/cli', binary: string): Promise<string> {
  return fetched(name, `node_modules/.bin/${binary}`, (version, folder) =>
    run('npm', [
      ...['install', '--no-audit', '--no-fund', '--no-save', '--prefix', folder],
      `${name}@${version}`,
    ]),
  );
}
