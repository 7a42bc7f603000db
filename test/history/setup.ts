import { keksHere } from '../support/keks-here.js';
import { environment, ISSUER, PASSWORD } from '../support/test-app.js';
import type { Credentials } from './clients.js';
import { forgetRounds, KEEPER } from './keys.js';
import { USER, type World } from './world.js';

/** Who lets a program in by its redirect address, and who lets a device in: each ends what it has allowed, and no other's. */
export const READER = { name: 'Reader', password: PASSWORD };
export const VIEWER = { name: 'Viewer', password: PASSWORD };
/** Who is at the shop, which asks for cookies in their name. */
export const SHOPPER = { name: 'Shopper', password: PASSWORD };
export const SHOP = 'https://shop.example';
/** Where the program is told. */
export const DONE = 'https://app.example/done';

/** The clients: a system, and a program in other people's hands. */
export interface Cast {
  readonly system: Credentials;
  readonly app: string;
  /** An API that exchanges the tokens that it is sent for tokens for the factory. */
  readonly shop: Credentials;
}

/** The users and the clients that the workers are, made as an operator would. */
export async function populate(world: World): Promise<Cast> {
  const scope = ['--scope', 'cookies:eat'];
  for (const { name, password } of [USER, KEEPER, READER, VIEWER, SHOPPER])
    await keks(world, ['user', 'add', name, '--password-stdin', ...scope], password);
  const add = async (...words: string[]): Promise<Credentials> =>
    JSON.parse(await keks(world, ['client', 'add', ...words, ...scope])) as Credentials;
  const app = await add('app', '--public', '--redirect-uri', DONE, '--device');
  await add('factory', '--audience', ISSUER);
  const shop = await add('shop', '--audience', SHOP, '--exchange', '--resource', `${ISSUER} cookies:eat`);
  return { system: await add('historian'), app: app.client_id, shop };
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
