import { Body, Controller, Get, Inject, Logger, Post, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from 'keks-guard';
import { z } from 'zod';
import { CONFIG, type Config } from '../../config/config.js';
import { toWireError } from '../../http/errors/error-answer.js';
import { PAGE_ISOLATION } from '../../http/security-headers.js';
import { CurrentOrigin } from '../current-caller.js';
import type { RequestOrigin } from '../request-origin.js';
import { ChosenPasswords } from '../users/chosen-passwords.js';
import { donePage, formPage, PAGE_POLICY, troublePage, type ResetPage } from './reset-pages.js';

const resetForm = z.object({ code: z.string(), password: z.string(), again: z.string() });

/** For people; works without scripts. The code comes to the server in a form's body, and never in an address. */
@Public()
@Controller('password-reset')
@ApiExcludeController()
export class PasswordResetController {
  private readonly logger = new Logger('password-reset');

  constructor(
    private readonly passwords: ChosenPasswords,
    @Inject(CONFIG) private readonly config: Pick<Config, 'PASSWORD_MIN_LENGTH'>,
  ) {}

  @Get()
  page(@Res() reply: FastifyReply): void {
    send(reply, formPage({ shortest: this.config.PASSWORD_MIN_LENGTH }));
  }

  @Post()
  async choose(
    @Body() body: unknown,
    @CurrentOrigin() origin: RequestOrigin,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    try {
      send(reply, await this.answer(body, origin));
    } catch (thrown) {
      const error = toWireError(thrown);
      const status = error.getStatus();
      if (status !== 429 && status !== 503) throw thrown;
      if (status === 503)
        this.logger.warn(`a password was not set: ${thrown instanceof Error ? thrown.message : ''}`);
      reply.headers({ 'retry-after': '1', ...error.headers });
      send(reply, troublePage(status));
    }
  }

  private async answer(body: unknown, origin: RequestOrigin): Promise<ResetPage> {
    const shortest = this.config.PASSWORD_MIN_LENGTH;
    const form = resetForm.safeParse(body).data;
    if (!form) return formPage({ shortest, flaw: 'incomplete' });
    const { code, password, again } = form;
    if (password !== again) return formPage({ shortest, code, flaw: 'different' });
    const chosen = await this.passwords.choose(codeIn(code), password, origin);
    if ('user' in chosen) return donePage(chosen.user);
    return formPage({ shortest, flaw: chosen.flaw, ...(chosen.flaw !== 'dead' && { code }) });
  }
}

/** People paste the whole link, or only the part after `#`. */
function codeIn(text: string): string {
  return text.slice(text.lastIndexOf('#') + 1).trim();
}

function send(reply: FastifyReply, { status, body }: ResetPage): void {
  reply.code(status).header('content-security-policy', PAGE_POLICY).headers(PAGE_ISOLATION);
  reply.type('text/html; charset=utf-8').send(body);
}
