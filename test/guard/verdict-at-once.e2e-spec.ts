import { Module } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import fastify, { type FastifyInstance } from 'fastify';
import { GuardModule, TokenValidator, type Validation } from 'keks-guard';
import { bearerGuard } from 'keks-guard/fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TeaController } from '../support/tea.controller.js';

const REFUSED = { active: false, reason: 'revoked' } as const;

/** Knows three tokens at once, and is asked about all others. */
class Quick extends TokenValidator {
  readonly asked: string[] = [];

  override verdictAtOnce(token: string): Validation | undefined {
    if (token === 'fault') throw new Error('a fault of the validator');
    if (token === 'dead') return REFUSED;
    return token === 'known' || token === 'narrow' ? this.good(token) : undefined;
  }

  override async validate(token: string): Promise<Validation> {
    this.asked.push(token);
    return token === 'new' ? this.good(token) : REFUSED;
  }

  private good(token: string): Validation {
    const principal = { subject: 'a', clientId: 'b', audience: [], expiresAt: 9_999_999_999, tokenId: 'c' };
    return { active: true, principal: { ...principal, scope: token === 'narrow' ? [] : ['tea:pour'] } };
  }
}

const validator = new Quick();

@Module({ imports: [GuardModule.forRoot({ realm: 'Tea', validator })], controllers: [TeaController] })
class AppModule {}

type Injects = Pick<FastifyInstance, 'inject'>;

let nest: NestFastifyApplication;
const plain = fastify();

beforeAll(async () => {
  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  nest = testing.createNestApplication(new FastifyAdapter(), { logger: false });
  await nest.init();
  const guard = bearerGuard({ realm: 'Tea', validator, warn: () => undefined });
  plain.get('/tea', { onRequest: guard('tea:pour') }, () => ({ tea: 'Assam' }));
  await plain.ready();
});

afterAll(() => Promise.all([nest.close(), plain.close()]));

describe.each<[string, () => Injects]>([
  ['BearerGuard', () => nest as unknown as Injects],
  ['the guard without Nest', () => plain],
])('a verdict that needs no waiting: %s', (_, api) => {
  it.each([
    ['known', 200, false],
    ['narrow', 403, false],
    ['dead', 401, false],
    ['fault', 503, false],
    ['new', 200, true],
    ['never', 401, true],
  ])('%s: %i', async (token, status, isAsked) => {
    validator.asked.length = 0;
    const answer = await api().inject({ url: '/tea', headers: { authorization: `Bearer ${token}` } });
    expect(answer.statusCode).toBe(status);
    expect(validator.asked).toEqual(isAsked ? [token] : []);
  });
});
