import { spawnSync } from 'node:child_process';
import { environment } from '../support/test-app.js';
import type { Credentials } from './run.js';
import { KEEPER } from './keys.js';
import { USER, type World } from './world.js';

/** The user and the client that the workers are, made as an operator would. */
export function populate(world: World): Credentials {
  keks(world, ['user', 'add', USER.name, '--password-stdin', '--scope', 'cookies:eat'], USER.password);
  keks(world, ['user', 'add', KEEPER.name, '--password-stdin', '--scope', 'cookies:eat'], KEEPER.password);
  return JSON.parse(keks(world, ['client', 'add', 'historian', '--scope', 'cookies:eat'])) as Credentials;
}

function keks(world: World, words: string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/src/cli.js', ...words, '--json'], {
    env: { PATH: process.env.PATH, ...environment(world.url) },
    input,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`keks ${words.join(' ')}: ${stderr}`);
  return stdout;
}
