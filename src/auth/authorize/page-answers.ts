import { Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toWireError } from '../../http/errors/error-answer.js';
import type { ClientAnswer, Outcome } from './outcome.js';
import { leavePage } from './leave-page.js';
import { formPostPage, troublePage, type Page, type Where } from './pages.js';
import { TROUBLES } from './troubles.js';

const logger = new Logger('authorize');

/** Answers people with a page, for 429 and 503 as well. Any other error is thrown on. */
export async function tell(
  reply: FastifyReply,
  where: Where & { readonly again: string | undefined },
  work: () => Promise<Outcome>,
): Promise<void> {
  try {
    send(reply, where, await work());
  } catch (thrown) {
    const error = toWireError(thrown);
    const status = error.getStatus();
    if (status !== 429 && status !== 503) throw thrown;
    if (status === 503)
      logger.warn(`a page could not be shown: ${thrown instanceof Error ? thrown.message : ''}`);
    reply.headers({ 'retry-after': '1', ...error.headers });
    const trouble = TROUBLES[status === 429 ? 'throttled' : 'away'];
    sendPage(reply, troublePage(trouble, where, where.again));
  }
}

/** The part of an address behind the question mark. */
export function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}

/** Whether the browser says that another site sent the form. Older browsers say nothing: the form's proof decides. */
export function isFromElsewhere({ headers }: FastifyRequest): boolean {
  const from = headers['sec-fetch-site'];
  return from !== undefined && from !== 'same-origin';
}

function send(reply: FastifyReply, where: Where, outcome: Outcome): void {
  if ('trouble' in outcome)
    return sendPage(reply, troublePage(TROUBLES[outcome.trouble], where, outcome.again));
  if (outcome.cookies) reply.header('set-cookie', [...outcome.cookies]);
  if ('page' in outcome) return sendPage(reply, outcome.page);
  if ('onwards' in outcome) return redirect(reply, `../${where.place}?${outcome.onwards}`);
  if ('leaving' in outcome) {
    const { client, leaving } = outcome;
    return sendPage(reply, leavePage(client, leaving, locationOf(leaving), where.depth));
  }
  const { address, parameters } = outcome.answer;
  if (address.responseMode === 'form_post')
    return sendPage(reply, formPostPage(address, parameters, where.depth));
  redirect(reply, locationOf(outcome.answer));
}

function sendPage(reply: FastifyReply, { status, body, policy }: Page): void {
  reply.code(status).header('content-security-policy', policy).type('text/html; charset=utf-8').send(body);
}

function redirect(reply: FastifyReply, location: string): void {
  reply.code(303).header('location', location).send();
}

/** Keeps the registered address as it is, with its own query if it has one (RFC 6749 §3.1.2). */
function locationOf({ address: { redirectUri }, parameters }: ClientAnswer): string {
  const query = new URLSearchParams(Object.fromEntries(parameters)).toString();
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${query}`;
}
