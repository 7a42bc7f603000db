import { Controller, Get } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { randomUUID } from 'node:crypto';
import { ForAdmins } from '../auth/admin/for-admins.js';
import { HISTORY_SPAN, HISTORY_STEP, NumbersHistory } from '../auth/telemetry/numbers-history.js';
import { Telemetry, type IssueKind } from '../auth/telemetry/telemetry.js';
import { ApiAnswer } from '../http/openapi/api-answer.js';
import { HttpTraffic, TRAFFIC_BOUNDS } from './http-traffic.js';
import {
  historyAnswer,
  numbersAnswer,
  REFUSALS,
  type HistoryAnswer,
  type NumbersAnswer,
} from './numbers.schemas.js';

const ROUTE = 'admin/numbers';

/** A few of the metrics, for the console. They are counted anyway; only adding them up costs something. */
@Controller(ROUTE)
@ForAdmins()
export class NumbersController {
  private readonly instance = randomUUID();

  constructor(
    private readonly telemetry: Telemetry,
    private readonly traffic: HttpTraffic,
    private readonly past: NumbersHistory,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Live numbers of the instance that answers',
    description: 'Counts since its start: the difference of two answers is what happened between them.',
    tags: ['admin'],
  })
  @ApiAnswer(200, numbersAnswer, 'The numbers.')
  read(): NumbersAnswer {
    const { validations, refusedLogins, revocations } = this.telemetry;
    return {
      instance: this.instance,
      uptime: process.uptime(),
      issued: this.issued(),
      validated: validations.active,
      refused: record(REFUSALS, (reason) => validations[reason]),
      unanswered: validations.unavailable,
      logins_refused: { ...refusedLogins },
      revoked: { ...revocations },
      requests: { bounds: [...TRAFFIC_BOUNDS], counts: this.durations() },
    };
  }

  @Get('history')
  @ApiOperation({
    summary: 'Numbers of the last day, of all instances together',
    description:
      'Five minutes an item. Each instance adds to them every five minutes, so the newest are up to that much behind, and what an instance that was killed had not added is missing.',
    tags: ['admin'],
  })
  @ApiAnswer(200, historyAnswer, 'The numbers.')
  async history(): Promise<HistoryAnswer> {
    const items = (await this.past.read()).map(({ began_at: at, ...numbers }) => ({
      began_at: at.toISOString(),
      ...numbers,
    }));
    return { step: HISTORY_STEP, span: HISTORY_SPAN, items };
  }

  private issued(): Record<IssueKind, number> {
    const kinds = ['login', 'client', 'api_key', 'code', 'device', 'refresh', 'exchange'] as const;
    return record(kinds, (kind) => this.telemetry.issues[kind].opaque + this.telemetry.issues[kind].jwt);
  }

  /**
   * The durations of all requests except those to this controller, so that people who look at the numbers do not see
   * their own requests.
   */
  private durations(): number[] {
    const sums = Array.from({ length: TRAFFIC_BOUNDS.length + 1 }, () => 0);
    for (const { route, seconds } of this.traffic.seen())
      if (!route.startsWith(`/${ROUTE}`))
        seconds.counts.forEach((count, at) => (sums[at] = (sums[at] ?? 0) + count));
    return sums;
  }
}

function record<K extends string>(names: readonly K[], count: (name: K) => number): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<K, number>;
}
