import type { Client } from './clients.js';
import { Random } from './random.js';
import type { Scene } from './scene.js';
import { SERVERS, USER, type World } from './world.js';

/** Too many to be ended one by one: see STEP in src/auth/grants/owner-ending.sql.ts. */
const GRANTS = 600;
const LOGINS = 6;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Somebody with very many grants logs in a few times more, and then out everywhere, again and again. */
export async function endCrowds({ world, client, seed, isOver }: Scene): Promise<void> {
  const random = new Random(seed);
  const name = `Crowd ${seed}`;
  while (!isOver()) {
    // the database may be away
    const ready = await fill(world, name).catch(() => false);
    if (!ready) await sleep(200);
    else await endOne(client, random, name);
  }
}

async function fill(world: World, name: string): Promise<boolean> {
  const admin = await world.connect();
  try {
    await admin.query(
      `INSERT INTO users (name, name_folded, password_hash, scope)
       SELECT $1, lower($1), password_hash, scope FROM users WHERE name = $2 ON CONFLICT DO NOTHING`,
      [name, USER.name],
    );
    await admin.query(
      `INSERT INTO grants (kind, user_id, scope, expires_at)
       SELECT 'login', id, scope, now() + interval '1 h' FROM users, generate_series(1, $2::int) WHERE name = $1`,
      [name, GRANTS],
    );
    return true;
  } finally {
    await admin.end();
  }
}

/** Reads are in flight on both servers while all of it dies, and new ones begin the moment that it is dead. */
async function endOne(client: Client, random: Random, name: string): Promise<void> {
  const somewhere = (): number => random.pick(SERVERS) ?? 0;
  const tokens: string[] = [];
  for (let at = 0; at < LOGINS; at += 1) {
    const { made } = await client.login(somewhere(), name, USER.password);
    if (made) tokens.push(made.access);
  }
  const [own] = tokens;
  if (own === undefined) return sleep(50);
  const look = (): Promise<unknown> => client.validateEverywhere(tokens);
  const before = look();
  await client.endAll(somewhere(), own, tokens);
  await Promise.all([before, look()]);
}
