import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from 'keks-guard';
import { LeaseGuard } from './lease-guard.js';

/**
 * The same cookies behind another guard than the global one. It asks nobody about a token as a rule, and still refuses
 * a revoked token.
 */
@Public()
@Controller('cookies/by-lease')
@ApiExcludeController()
export class LeasedCookiesController {
  constructor(private readonly guard: LeaseGuard) {}

  @Get()
  async eat(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (await this.guard.admits(request, reply)) reply.send(['Cookie', 'Cookie', 'Cookie']);
  }

  /** Shows how many verdicts needed no question to the authority. */
  @Get('guard')
  async state(): Promise<object> {
    const { leaseMs = 0, entries = 0, answers } = (await this.guard.state()) ?? {};
    return { lease_ms: Math.floor(leaseMs), entries, answers };
  }
}
