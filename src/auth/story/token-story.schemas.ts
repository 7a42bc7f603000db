import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';
import { grantItem } from '../grants/grant.schemas.js';
import { time } from '../lists/list.schemas.js';
import { isUuid } from '../uuid.js';

/** The wire shapes of /admin/tokens/story. */

export const storyRequest = z
  .object({
    token: z.string().min(1).optional().meta({ description: 'The token itself: never in a URL.' }),
    id: z
      .string()
      .refine(isUuid, reason('not_uuid'))
      .optional()
      .meta({ description: 'Or the id of a token or a grant, as the audit log has it.', format: 'uuid' }),
  })
  .refine(({ token, id }) => (token === undefined) !== (id === undefined), reason('token_or_id'))
  .meta({ id: 'TokenStoryRequest', example: { token: 'kat_...' } });

const uuid = z.uuid().nullable();
const EXAMPLE_ID = '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11';

const storyToken = z.object({
  id: z.uuid().meta({ example: EXAMPLE_ID }),
  kind: z.enum(['access', 'refresh', 'api_key']).nullable().meta({
    description: 'Null if only its id was given and no event tells.',
    example: 'access',
  }),
  expires_at: time.nullable().meta({ description: 'Null if no event tells.' }),
  refused_because: z.array(z.string()).nullable().meta({
    description:
      'Why it is refused now, the first cause first; empty while it is alive. Null if only its id was given: then the events tell.',
    example: [],
  }),
});

const storyGrant = grantItem
  .extend({
    revoked_at: time.nullable().meta({ example: null }),
    revoked_reason: z.string().nullable().meta({ example: null }),
  })
  .meta({ id: 'StoryGrant' });

export const storyEvent = z
  .object({
    at: time,
    what: z.string().meta({
      description:
        'The type of the audit event; or `grant.last_used`, `token.expired`, `grant.expired`, and of a token that was made from another one `token.source_revoked`, `token.actor_ended`, which are no events of their own.',
      example: 'token.issued',
    }),
    by: z.string().nullable().meta({
      description: '`user:NAME`, `client:ID`, `holder` or `operator`.',
      example: 'user:CookieDestroyer',
    }),
    ip: z.string().nullable().meta({ example: '192.0.2.7' }),
    request_id: z.string().nullable().meta({ description: 'As in the log.', example: null }),
    token_id: uuid.meta({ description: 'What was given out, presented or revoked.', example: EXAMPLE_ID }),
    refresh_token_id: uuid.meta({
      description: 'The refresh token that was given out with it.',
      example: null,
    }),
    from_id: uuid.meta({
      description: 'The refresh token that was presented for it; of `token.exchanged` the access token.',
      example: null,
    }),
    scope: z.string().nullable().meta({ example: 'cookies:eat keks:account' }),
    expires_at: time.nullable().meta({ description: 'When what was given out expires.' }),
    reason: z.string().nullable().meta({ description: 'Why it was refused or revoked.', example: null }),
  })
  .meta({ id: 'StoryEvent' });

export const storyAnswer = z
  .object({
    token: storyToken.optional().meta({ description: 'Absent if the id was that of a grant.' }),
    grant: storyGrant
      .optional()
      .meta({ description: 'Absent once it has been removed, 8 days after its end.' }),
    events: z.array(storyEvent).meta({ description: 'Oldest first.' }),
    complete: z.boolean().meta({
      description: 'False if events between the first and the last 1,000 are left out.',
      example: true,
    }),
  })
  .meta({ id: 'TokenStory' });

export type StoryRequest = z.infer<typeof storyRequest>;
export type StoryEvent = z.infer<typeof storyEvent>;
export type StoryToken = z.infer<typeof storyToken>;
export type StoryGrant = z.infer<typeof storyGrant>;
export type Story = z.infer<typeof storyAnswer>;
