/** Owns the token: in the memory of this module, in no storage, no address and no element of the page. */
import { Refusal, send } from './console-api.js';

export const ADMIN_SCOPE = 'keks:admin';

/** Codes that say that the token is worth nothing any more; a wrong password is a 401 too. */
const TOKEN_IS_DEAD = ['invalid_token', 'unauthorized'];

let login;
let tell = () => undefined;

/** @param listener is told why nobody is signed in any more: `over`, `expired` or `leaving` */
export function onEnd(listener) {
  tell = listener;
}

/** @returns who is signed in, and what the login may do; undefined if nobody is */
export function current() {
  if (!login) return undefined;
  const { user, scope, ends } = login;
  return { user, scope, ends, admin: scope.includes(ADMIN_SCOPE) };
}

/** All that the user may do is asked for: it is what new keys can be given, and whether the user is an administrator. */
export async function signIn(user, password) {
  const { token, scope, expires_in: lifetime } = await send('POST', 'issue', { body: { user, password } });
  const timer = setTimeout(() => end('expired'), lifetime * 1_000);
  login = { token, user, scope: scope.split(' '), ends: new Date(Date.now() + lifetime * 1_000), timer };
  const own = login;
  own.session = await ownSession();
  return login === own;
}

/** As whoever is signed in. @throws Refusal; a dead token ends the login first */
export async function call(method, path, body, signal) {
  const own = login;
  try {
    return await send(method, path, { token: own?.token, body, signal });
  } catch (refusal) {
    if (login === own && refusal.status === 401 && TOKEN_IS_DEAD.includes(refusal.code)) end('over');
    throw refusal;
  }
}

/** @returns whether the server knows; if not, the token lives until it expires */
export async function signOut() {
  const own = login;
  end('leaving');
  return own ? takeBack(own) : true;
}

/** For a page that is about to go: nobody waits for the answer. */
export function leave() {
  const own = login;
  if (!own) return;
  end('leaving');
  void takeBack(own, true);
}

function end(why) {
  if (!login) return;
  clearTimeout(login.timer);
  login = undefined;
  tell(why);
}

/** A session that has ended is gone from the list; of a revoked token its session would be left over. */
async function takeBack({ token, session }, keepalive = false) {
  try {
    if (session) await send('DELETE', `sessions/${session}`, { token, keepalive });
    else await send('POST', 'revoke', { body: { token }, keepalive });
    return true;
  } catch (refusal) {
    return refusal.status === 401 || refusal.status === 404;
  }
}

async function ownSession() {
  try {
    const { items } = await call('GET', 'sessions?limit=100');
    return items.find((one) => one.current)?.id;
  } catch (refusal) {
    if (refusal instanceof Refusal) return undefined;
    throw refusal;
  }
}
