import { setTimeout as sleep } from 'node:timers/promises';
import { askForCodes, decide, type Codes } from '../support/device.js';
import { Visitor } from '../support/visitor.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';
import { VIEWER } from './setup.js';
import { SERVERS } from './world.js';

/** A person lets a device in again and again; the device asks for its tokens at both servers at once, and then once more. */
export async function redeemDeviceCodes(viewing: Scene): Promise<void> {
  const random = new Random(viewing.seed);
  let cookies = new Map<string, string>();
  while (!viewing.isOver()) {
    const code = await allowed(viewing, random, cookies).catch(() => undefined);
    if (code !== undefined) await useDevice(viewing, random, code);
    else {
      // signed out, perhaps, or the database is away
      cookies = new Map();
      await sleep(100);
    }
  }
}

/** The code of a device that a person has let in. */
async function allowed(
  { world, cast }: Scene,
  random: Random,
  cookies: Map<string, string>,
): Promise<string | undefined> {
  await world.forgetTries();
  const url = (): string => random.pick(world.urls) ?? '';
  const asked = await askForCodes(url(), { client_id: cast.app, scope: 'cookies:eat offline_access' });
  if (asked.status !== 200) return undefined;
  const { device_code: deviceCode, user_code: userCode } = asked.body as Codes;
  const page = await decide(new Visitor(url(), cookies), VIEWER.name, userCode);
  return page.status === 200 ? deviceCode : undefined;
}

async function useDevice({ client, cast }: Scene, random: Random, code: string): Promise<void> {
  const somewhere = (): number => random.pick(SERVERS) ?? 0;
  const redeem = () => client.redeemDeviceCode(somewhere(), code, cast.app);
  const answers = await Promise.all(Array.from({ length: 4 }, redeem));
  const gained = answers.flatMap(({ made }) => made ?? []);
  const look = (): Promise<unknown> => client.validateEverywhere(gained.map(({ access }) => access));
  await look();
  // whoever shows it again gets nothing, and ends nothing
  await redeem();
  const before = look();
  const { made: login } = await client.logInAs(somewhere(), VIEWER.name, VIEWER.password);
  if (login) await client.withdraw(somewhere(), login.access, cast.app, [code]);
  await Promise.all([before, look()]);
  for (const { refresh } of gained)
    if (refresh !== undefined) await client.refresh(somewhere(), refresh, cast.app);
}
