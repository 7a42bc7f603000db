/** Where somebody is signed in, and the end of it. */
import { ask } from './console-dialog.js';
import { button, element, paragraph } from './console-elements.js';
import { item, pagedList, pageOf } from './console-list.js';
import { call } from './console-login.js';
import { moment } from './console-moment.js';

export function openSessions({ body, say, signOut }) {
  const list = pagedList({
    read: (cursor) => call('GET', pageOf('sessions', {}, cursor)),
    draw: (session) => drawSession(session, { say, signOut, reload: () => list.load() }),
    empty: 'You are signed in nowhere, not even here: reload the page.',
  });
  body.append(
    element(
      'div',
      { class: 'intro' },
      paragraph(
        'Where you are signed in, newest first. If you do not know one of them, end it and change your password.',
      ),
      button('End all others', () => void endOthers(say, list)),
    ),
    list.node,
  );
  void list.load();
}

function drawSession(session, { say, signOut, reload }) {
  const { label, ip, user_agent: agent, current } = session;
  const name = label ?? agent ?? 'Unknown program';
  return item({
    title: name,
    badges: current ? [['this one', 'good']] : [],
    facts: [
      ['From', ip ?? 'unknown'],
      ['Began', moment(session.created_at)],
      ['Last used', moment(session.last_used_at, 'not yet')],
      ['Ends', moment(session.expires_at)],
    ],
    actions: current
      ? [button('Sign out', signOut)]
      : [button('End', () => void endSession(session, name, say, reload), 'danger')],
  });
}

async function endSession({ id, ip }, name, say, reload) {
  const ended = await ask({
    title: 'End this session?',
    sentences: [
      `${name}, from ${ip ?? 'an unknown address'}: whoever uses it has to sign in again, at once.`,
    ],
    action: 'End the session',
    danger: true,
    work: () => gone(id),
  });
  if (!ended) return;
  say(`The session of ${name} is over.`);
  await reload();
}

async function endOthers(say, list) {
  const ended = await ask({
    title: 'End all other sessions?',
    sentences: ['You stay signed in here. Everywhere else you have to sign in again. Your API keys live on.'],
    action: 'End all others',
    danger: true,
    work: async (_, progress) => {
      const others = await otherSessions();
      for (const [at, id] of others.entries()) {
        progress(`Ending ${at + 1} of ${others.length} …`);
        await gone(id);
      }
      return { count: others.length };
    },
  });
  if (!ended) return;
  const { count } = ended;
  say(
    count === 0
      ? 'There were no others.'
      : `${count === 1 ? 'One session is' : `${count} sessions are`} over.`,
  );
  await list.load();
}

async function otherSessions() {
  const ids = [];
  let cursor;
  do {
    const page = await call('GET', pageOf('sessions', { limit: 100 }, cursor));
    ids.push(...page.items.filter((one) => !one.current).map((one) => one.id));
    cursor = page.next;
  } while (cursor);
  return ids;
}

/** One that has ended by itself meanwhile is as good. */
async function gone(id) {
  await call('DELETE', `sessions/${id}`).catch((refusal) => {
    if (refusal.status !== 404) throw refusal;
  });
}
