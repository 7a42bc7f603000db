import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs a program to its end. Throws with what it printed if it fails. */
export function run(cwd: string, command: string, ...parameters: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, parameters, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, FORCE_COLOR: '0' },
  });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout;
}

export function install(cwd: string, ...parameters: string[]): void {
  run(cwd, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', '--omit=optional', ...parameters);
}

/** @returns the path of the tarball, of `keks` or of a workspace */
export function pack(into: string, workspace?: string): string {
  const which = workspace === undefined ? [] : ['--workspace', workspace];
  const [packed] = JSON.parse(run('.', 'npm', 'pack', '--json', '--pack-destination', into, ...which)) as [
    { filename: string },
  ];
  return join(into, packed.filename);
}

/** Outside the repository, so that nothing is found in its node_modules. */
export function emptyFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'keks-package-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Program {
  stop(): Promise<void>;
}

/** Starts a program and waits until the address answers anything. */
export async function start(
  cwd: string,
  command: readonly [string, ...string[]],
  environment: Record<string, string>,
  url: string,
): Promise<Program> {
  const [program, ...parameters] = command;
  const child = spawn(program, parameters, { cwd, env: { PATH: process.env['PATH'] ?? '', ...environment } });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'exit');
  for (let attempt = 0; attempt < 4_000; attempt += 1) {
    if (child.exitCode !== null) break;
    const answers = await fetch(url).then(
      () => true,
      () => false,
    );
    if (answers)
      return {
        async stop() {
          child.kill();
          await ended;
        },
      };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  child.kill('SIGKILL');
  throw new Error(`${command.join(' ')} does not answer:\n${output}`);
}

const NODE_24 = '24.21.0';

/** Node 24 out of npm's `node` package. */
export function newerNode(folder: string): string {
  const home = join(folder, 'node');
  mkdirSync(home);
  writeFileSync(
    join(home, 'package.json'),
    JSON.stringify({ private: true, allowScripts: { [`node@${NODE_24}`]: true } }),
  );
  install(home, `node@${NODE_24}`);
  return join(home, 'node_modules', 'node', 'bin', 'node');
}
