import { z } from 'zod';
import { listOf, time } from '../lists/list.schemas.js';
import { EVENT_NAMES } from '../receivers/event-types.js';

/** The wire shapes of /admin/receivers. */

const count = (description: string) => z.int().nonnegative().meta({ description, example: 0 });
const at = (description: string) => time.nullable().meta({ description });

const name = z.string().meta({ description: 'What people call it.', example: 'siem' });
const url = z
  .string()
  .meta({ description: 'Where events are sent to.', example: 'https://receiver.example/events' });
const audience = z
  .string()
  .meta({ description: 'The `aud` of its events.', example: 'https://receiver.example/events' });

export const receiverItem = z
  .object({
    id: z.uuid().meta({ example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' }),
    ...{ name, url, audience },
    events: z.array(z.enum(EVENT_NAMES)).nullable().meta({ description: 'Null: all that there are.' }),
    has_authorization: z.boolean().meta({ description: 'Whether something is sent in `Authorization`.' }),
    created_at: time,
    undelivered: count('Events that it has not taken yet. 10,000 at most are kept.'),
    oldest_at: at('When the oldest of these happened.'),
    failing_since: at('Since when it has taken nothing. Null: it takes what it is sent.'),
    last_error: z.string().nullable().meta({
      description: 'What went wrong the last time, if something did.',
      example: 'it answered 500, and not 202',
    }),
    delivered: count('Events that it has taken.'),
    delivered_at: at('When it last took one.'),
    verifying: z.boolean().meta({ description: 'Whether an event to try it is on its way.' }),
    verified_at: at('When it last took such an event.'),
    refused: count('Events that it has said it never takes.'),
    given_up: count('Events that were too old, or too many, to be kept for it.'),
    lost_at: at('When an event was last refused or given up.'),
  })
  .meta({ id: 'Receiver' });

export const receiverList = listOf('ReceiverList', receiverItem);

export const receiverRequest = z
  .object({
    ...{ name, url },
    audience: audience.optional(),
    events: z
      .array(z.string().meta({ example: 'session-revoked' }))
      .max(EVENT_NAMES.length)
      .optional()
      .meta({
        description: `All, if absent. There are ${EVENT_NAMES.map((one) => `\`${one}\``).join(', ')}.`,
      }),
    authorization: z.string().optional().meta({
      description:
        'What it wants in `Authorization`, with the scheme. It is kept encrypted, and shown to nobody.',
      example: 'Bearer d29s-bGVz',
    }),
  })
  .meta({
    id: 'ReceiverRequest',
    example: { name: 'siem', url: 'https://receiver.example/events' },
  });

export type ReceiverItem = z.infer<typeof receiverItem>;
export type ReceiverRequest = z.infer<typeof receiverRequest>;
