import { z } from 'zod';

/** The wire shape of GET /admin/guards. */

const count = z.int().nonnegative();

const guard = z
  .object({
    name: z
      .string()
      .meta({ description: 'That it gave itself at its start.', example: 'b1R8Zq0uQ5mUu3N6m2vYtA' }),
    client_id: z
      .string()
      .meta({ description: 'The API that it belongs to.', example: 'c-0123456789abcdef01234567' }),
    instance: z.uuid().meta({ description: 'Of Keks, which it follows.' }),
    lease_ms: count.meta({
      description: 'What is left of its lease. 0: it is over, and the guard has not asked again.',
    }),
    behind: count.meta({ description: 'Revocations that it has not confirmed.' }),
    awaited_by: count.meta({ description: 'Revokes that wait for it.' }),
    described_ms_ago: count.meta({ description: 'So long ago this was so.' }),
  })
  .meta({ id: 'Guard' });

const instance = z
  .object({
    instance: z.uuid(),
    guards: count,
    lease_ttl_ms: count.meta({ description: 'Its `LEASE_TTL`.' }),
    renewed_ms_ago: count.meta({
      description:
        'When it said last that its guards may hold leases. Longer ago than `lease_ttl_ms`: it is gone, or cannot reach the database.',
    }),
    unconfirmed: count.meta({
      description: 'Revocations that it has not said yet to be known by all of its guards; 10,000 at most.',
    }),
  })
  .meta({ id: 'InstanceWithGuards' });

export const guardsAnswer = z
  .object({ instances: z.array(instance), items: z.array(guard) })
  .meta({ id: 'GuardsAnswer' });

export type GuardsAnswer = z.infer<typeof guardsAnswer>;
