import { z } from 'zod';
import { clientFields } from '../clients/client-fields.js';

/** The wire shapes of POST /oauth/revocations: docs/revocation-feed.md. */

export const feedRequest = z
  .object({
    guard: z
      .string()
      .regex(/^[\w-]{16,64}$/)
      .meta({
        description: 'A random name that a guard gives itself at its start.',
        example: 'b1R8Zq0uQ5mUu3N6m2vYtA',
      }),
    cursor: z.string().optional().meta({
      description: 'Of the answer before, once all of it has been applied. Without it, from the beginning.',
    }),
    leave: z.literal('true').optional().meta({
      description:
        'Sent by a guard that stops: it holds no lease any more, whatever it was answered, and no end waits for it.',
    }),
    ...clientFields,
  })
  .meta({ id: 'RevocationFeedRequest' });

const revocation = z
  .object({
    kind: z.enum(['token', 'grant', 'subject', 'actor', 'key', 'all']).meta({
      description:
        '`token`: the JWT with this `jti` is dead. `grant`: all with this `sid`. `key`: all with this `kid`. `subject`: ask about those with this `sub`. `actor`: ask about those in whose `act` this `sub` stands, at whatever depth. `all`: ask about all.',
    }),
    key: z.string().meta({
      description: 'SHA-256 of the `jti`, `sid`, `kid` or `sub`, in base64url; empty for `all`.',
      example: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
    }),
    sub: z.string().optional().meta({
      description:
        'Of a `grant`: SHA-256 of the `sub` of its tokens. About those of them without `sid`, ask.',
    }),
    exp: z.int().meta({
      description: 'Seconds since the epoch: afterwards it ends nothing any more.',
      example: 1_767_225_600,
    }),
  })
  .meta({ id: 'Revocation' });

export const feedAnswer = z
  .object({
    cursor: z.string().meta({
      description: 'For the next request: opaque. Empty after `leave`.',
      example: '7580000000000000000-00000001-16384~812:812:',
    }),
    reset: z.boolean().meta({ description: 'Forget all entries before you apply these.' }),
    more: z.boolean().meta({ description: 'More is there already: ask again at once.' }),
    lease_ms: z.int().nonnegative().meta({
      description:
        'For so many milliseconds, counted from before the request was sent, nobody is told that a revoke is done that is not among the entries. 0: there is no lease.',
      example: 1_000,
    }),
    entries: z.array(revocation),
  })
  .meta({ id: 'RevocationFeedAnswer' });

export type FeedRequest = z.infer<typeof feedRequest>;
export type FeedAnswer = z.infer<typeof feedAnswer>;
