import { Body, Controller, Get, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { signOutForm } from '../authorize/authorize.schemas.js';
import { isFromElsewhere, queryOf, tell } from '../authorize/page-answers.js';
import { SignOut } from '../authorize/sign-out.js';
import type { Outcome } from '../authorize/outcome.js';
import { originOf } from '../request-origin.js';
import { DeviceFlow, type DeviceVisit } from './device-flow.js';
import { deviceCodeForm, deviceConsentForm, deviceLoginForm } from './device.schemas.js';

const FORM = { place: 'device', depth: 'form' } as const;
const AGAIN = '';

/** Pages where people type the code that a device shows (RFC 8628 §3.3). They need no scripts. */
@Public()
@Controller('device')
@ApiExcludeController()
export class DeviceController {
  constructor(
    private readonly flow: DeviceFlow,
    private readonly signOut: SignOut,
  ) {}

  @Get()
  async ask(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const query = queryOf(request.raw.url ?? '');
    const parameters = new URLSearchParams(query);
    await tell(reply, { place: 'device', depth: 'page', again: AGAIN }, () =>
      this.flow.ask(parameters.get('user_code') ?? undefined, parameters.has('login'), visitOf(request)),
    );
  }

  @Post('login')
  async signIn(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = deviceLoginForm.safeParse(body).data;
    await this.answer(request, reply, form, ({ proof, request: code, user, password }) =>
      this.flow.signIn({ proof, code }, { user, password }, visitOf(request)),
    );
  }

  @Post('code')
  async enter(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = deviceCodeForm.safeParse(body).data;
    await this.answer(request, reply, form, ({ proof, user_code: code }) =>
      this.flow.enter({ proof, code }, visitOf(request)),
    );
  }

  @Post('consent')
  async decide(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = deviceConsentForm.safeParse(body).data;
    await this.answer(request, reply, form, ({ proof, request: code, decision }) =>
      this.flow.decide({ proof, code }, decision === 'allow', visitOf(request)),
    );
  }

  @Post('sign-out')
  async leave(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<void> {
    const form = signOutForm.safeParse(body).data;
    await this.answer(request, reply, form, (state) => this.signOut.end(state, visitOf(request), FORM));
  }

  private async answer<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    form: T | undefined,
    work: (form: T) => Promise<Outcome>,
  ): Promise<void> {
    await tell(reply, { ...FORM, again: AGAIN }, async () => {
      if (!form) return { trouble: 'unreadable', again: AGAIN };
      if (isFromElsewhere(request)) return { trouble: 'forged', again: AGAIN };
      return work(form);
    });
  }
}

function visitOf(request: FastifyRequest): DeviceVisit {
  return { cookie: request.headers.cookie, origin: originOf(request) };
}
