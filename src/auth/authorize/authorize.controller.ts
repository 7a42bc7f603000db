import { Body, Controller, Get, Logger, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { toWireError } from '../../http/errors/error-answer.js';
import { originOf } from '../request-origin.js';
import { AuthorizationFlow, type Visit } from './authorization-flow.js';
import type { ClientAnswer, Outcome } from './outcome.js';
import { consentForm, loginForm } from './authorize.schemas.js';
import { formPostPage, troublePage, type Depth, type Page } from './pages.js';
import { TROUBLES } from './troubles.js';

/**
 * The authorization endpoint (RFC 6749 §3.1): pages for people, without scripts. Whatever happens is told as a page or to the
 * client; a redirect is always 303, which never sends a form on (RFC 9700 §4.12).
 */
@Public()
@Controller('oauth/authorize')
@ApiExcludeController()
export class AuthorizeController {
  private readonly logger = new Logger('authorize');

  constructor(private readonly authorization: AuthorizationFlow) {}

  @Get()
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const visit = visitOf(request, queryOf(request.raw.url ?? ''));
    await this.tell(reply, 'page', visit.query, () => this.authorization.ask(visit));
  }

  @Post('login')
  async signIn(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = loginForm.safeParse(body);
    await this.tell(reply, 'form', form.data?.request, async () => {
      if (!form.data) return { trouble: 'unreadable' };
      const visit = visitOf(request, form.data.request);
      if (isFromElsewhere(request)) return { trouble: 'forged', again: visit.query };
      return this.authorization.signIn(visit, form.data);
    });
  }

  @Post('consent')
  async decide(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = consentForm.safeParse(body);
    await this.tell(reply, 'form', form.data?.request, async () => {
      if (!form.data) return { trouble: 'unreadable' };
      const visit = visitOf(request, form.data.request);
      if (isFromElsewhere(request)) return { trouble: 'forged', again: visit.query };
      const { proof, decision, remember } = form.data;
      return this.authorization.decide(visit, {
        proof,
        allow: decision === 'allow',
        remember: remember === 'yes',
      });
    });
  }

  /** People get pages, also of what went wrong; a fault of ours stays one. */
  private async tell(
    reply: FastifyReply,
    depth: Depth,
    query: string | undefined,
    work: () => Promise<Outcome>,
  ): Promise<void> {
    try {
      send(reply, depth, await work());
    } catch (thrown) {
      const error = toWireError(thrown);
      const status = error.getStatus();
      if (status !== 429 && status !== 503) throw thrown;
      if (status === 503)
        this.logger.warn(`a page could not be shown: ${thrown instanceof Error ? thrown.message : ''}`);
      reply.headers({ 'retry-after': '1', ...error.headers });
      const trouble = TROUBLES[status === 429 ? 'throttled' : 'away'];
      sendPage(reply, troublePage(trouble, depth, query));
    }
  }
}

function visitOf(request: FastifyRequest, query: string): Visit {
  const { cookie } = request.headers;
  return { query, cookie, origin: originOf(request) };
}

function queryOf(url: string): string {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at + 1);
}

/** What browsers say of a form that another site sends. Older ones say nothing: the proof in the form is what counts. */
function isFromElsewhere({ headers }: FastifyRequest): boolean {
  const from = headers['sec-fetch-site'];
  return from !== undefined && from !== 'same-origin';
}

function send(reply: FastifyReply, depth: Depth, outcome: Outcome): void {
  if ('trouble' in outcome)
    return sendPage(reply, troublePage(TROUBLES[outcome.trouble], depth, outcome.again));
  if (outcome.cookies) reply.header('set-cookie', [...outcome.cookies]);
  if ('page' in outcome) return sendPage(reply, outcome.page);
  if ('onwards' in outcome) return redirect(reply, `../authorize?${outcome.onwards}`);
  const { address, parameters } = outcome.answer;
  if (address.responseMode === 'form_post') return sendPage(reply, formPostPage(address, parameters, depth));
  redirect(reply, locationOf(outcome.answer));
}

function sendPage(reply: FastifyReply, { status, body, policy }: Page): void {
  reply.code(status).header('content-security-policy', policy).type('text/html; charset=utf-8').send(body);
}

function redirect(reply: FastifyReply, location: string): void {
  reply.code(303).header('location', location).send();
}

/** The address stays as it is registered, with a query of its own if it has one (RFC 6749 §3.1.2). */
function locationOf({ address: { redirectUri }, parameters }: ClientAnswer): string {
  const query = new URLSearchParams(Object.fromEntries(parameters)).toString();
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${query}`;
}
