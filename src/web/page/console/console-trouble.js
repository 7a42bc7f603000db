/** What to do about a refusal. */
import { clock, duration } from './console-moment.js';

/**
 * @param known sentences for codes that mean something particular here, or for a code and a member: `code.member`
 * @returns a title, and what to do
 */
export function problemOf(refusal, known = {}) {
  const { status, code, text, parameter } = refusal;
  const meant = known[`${code}.${parameter}`] ?? known[code];
  if (meant) return { title: 'That did not work.', text: meant };
  if (status === 0)
    return {
      title: 'The server does not answer.',
      text: 'Nothing may have happened, or it may: see whether the server runs, then look again.',
    };
  if (status === 429) return { title: 'Too many attempts.', text: `Keks takes no more ${until(refusal)}.` };
  if (status === 503)
    return {
      title: 'Keks cannot answer right now.',
      text: `Usually its database is away. Try again ${until(refusal)}.`,
    };
  if (code === 'insufficient_scope')
    return {
      title: 'This is for administrators.',
      text: 'Your login does not have the scope keks:admin. Ask an administrator to give it to you, then sign in again.',
    };
  if (status === 404)
    return { title: 'It is not there any more.', text: 'It may have ended meanwhile. Load the list again.' };
  return { title: 'That did not work.', text: text || 'The server refused it without saying why.' };
}

/** The same in one breath. */
export function sentenceOf(refusal, known) {
  const { title, text } = problemOf(refusal, known);
  return title === 'That did not work.' ? text : `${title} ${text}`;
}

function until({ retryAfter }) {
  if (retryAfter === undefined) return 'in a minute';
  if (retryAfter < 60) return `in ${duration(Math.max(1, retryAfter))}`;
  return `for ${duration(retryAfter)}, until ${clock(new Date(Date.now() + retryAfter * 1_000))}`;
}
