import { Body, Controller, Get, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { originOf } from '../request-origin.js';
import { AuthorizationFlow, type Visit } from './authorization-flow.js';
import { consentForm, loginForm, signOutForm } from './authorize.schemas.js';
import { isFromElsewhere, queryOf, tell } from './page-answers.js';
import { SignOut } from './sign-out.js';

const FORM = { place: 'authorize', depth: 'form' } as const;

/**
 * The authorization endpoint (RFC 6749 §3.1): pages for people, which need no scripts. Every outcome is a page or an
 * answer to the client. Every redirect is a 303, with which a browser never sends a form on (RFC 9700 §4.12).
 */
@Public()
@Controller('oauth/authorize')
@ApiExcludeController()
export class AuthorizeController {
  constructor(
    private readonly authorization: AuthorizationFlow,
    private readonly signOut: SignOut,
  ) {}

  @Get()
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const visit = visitOf(request, queryOf(request.raw.url ?? ''));
    await tell(reply, { place: 'authorize', depth: 'page', again: visit.query }, () =>
      this.authorization.ask(visit),
    );
  }

  @Post('login')
  async signIn(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = loginForm.safeParse(body);
    await tell(reply, { ...FORM, again: form.data?.request }, async () => {
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
    await tell(reply, { ...FORM, again: form.data?.request }, async () => {
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

  @Post('sign-out')
  async leave(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = signOutForm.safeParse(body).data;
    await tell(reply, { ...FORM, again: form?.request }, async () => {
      if (!form) return { trouble: 'unreadable' };
      if (isFromElsewhere(request)) return { trouble: 'forged', again: form.request };
      return this.signOut.end(form, visitOf(request, form.request), FORM);
    });
  }
}

function visitOf(request: FastifyRequest, query: string): Visit {
  const { cookie } = request.headers;
  return { query, cookie, origin: originOf(request) };
}
