import { keksHere } from '../support/keks-here.js';
import { environment } from '../support/test-app.js';
import type { Credentials } from './run.js';
import { forgetRounds, KEEPER } from './keys.js';
import { USER, type World } from './world.js';

/** The user and the client that the workers are, made as an operator would. */
export async function populate(world: World): Promise<Credentials> {
  for (const { name, password } of [USER, KEEPER])
    await keks(world, ['user', 'add', name, '--password-stdin', '--scope', 'cookies:eat'], password);
  return JSON.parse(
    await keks(world, ['client', 'add', 'historian', '--scope', 'cookies:eat']),
  ) as Credentials;
}

/** What a mistake with keys has left: a password under one that is gone, which its owner cannot prove any more. */
export async function givePasswordAnew(world: World): Promise<void> {
  await keks(world, ['user', 'passwd', KEEPER.name, '--password-stdin'], KEEPER.password);
  forgetRounds();
}

async function keks(world: World, words: string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await keksHere(environment(world.url), [...words, '--json'], { input });
  if (code !== 0) throw new Error(`keks ${words.join(' ')}: ${stderr}`);
  return stdout;
}
