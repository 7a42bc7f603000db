import { z } from 'zod';
import { time } from '../auth/lists/list.schemas.js';
import { HISTORY_NUMBERS } from '../auth/telemetry/numbers-history.sql.js';

/**
 * The wire shape of /admin/numbers. All counts start with the process that answers. The history adds up all instances.
 */

const count = z.int().nonnegative().meta({ example: 0 });

const counts = <K extends string>(names: readonly K[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, count])) as Record<K, typeof count>);

export const REFUSALS = [
  ...(['malformed', 'forged', 'expired', 'unknown', 'revoked', 'grant_revoked'] as const),
  ...(['grant_expired', 'wrong_kind', 'wrong_audience'] as const),
] as const;

export const numbersAnswer = z
  .object({
    instance: z.uuid().meta({
      description: 'Names the process that answered. Each counts for itself: compare only what has the same.',
      example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11',
    }),
    uptime: z.number().nonnegative().meta({ description: 'Seconds since its start.', example: 42.5 }),
    issued: counts(['login', 'client', 'api_key', 'code', 'device', 'refresh', 'exchange']).meta({
      description: 'Access tokens and API keys, by how they were got.',
    }),
    validated: count.meta({ description: 'Tokens that were found active.' }),
    refused: counts(REFUSALS).meta({ description: 'Tokens that were not, and why.' }),
    unanswered: count.meta({ description: 'No verdict: the database could not be asked.' }),
    logins_refused: counts(['credentials', 'throttled']),
    revoked: counts(['access_token', 'grant']).meta({
      description: 'Single tokens; and logins, keys and clients’ grants with all of theirs.',
    }),
    requests: z
      .object({
        bounds: z.array(z.number()).meta({ description: 'Seconds, inclusive, ascending.', example: [0.1] }),
        counts: z.array(count).meta({
          description: 'Requests that took so long: one for each bound, and one beyond the last.',
          example: [0, 0],
        }),
      })
      .meta({ description: 'Answered requests to all routes but this one. Not cumulative.' }),
  })
  .meta({ id: 'Numbers' });

export const historyAnswer = z
  .object({
    step: z.int().meta({ description: 'Seconds that an item stands for.', example: 300 }),
    span: z.int().meta({ description: 'Seconds that are told, up to now.', example: 86_400 }),
    items: z
      .array(z.object({ began_at: time, ...counts(HISTORY_NUMBERS).shape }).meta({ id: 'NumbersOfAWhile' }))
      .meta({ description: 'Oldest first. Where nothing happened there is none.' }),
  })
  .meta({ id: 'NumbersHistory' });

export type HistoryAnswer = z.infer<typeof historyAnswer>;
export type NumbersAnswer = z.infer<typeof numbersAnswer>;
