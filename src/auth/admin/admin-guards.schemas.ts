import { z } from 'zod';

/** The wire shape of GET /admin/guards. */

const count = (example: number, description: string) => z.int().nonnegative().meta({ description, example });

const instanceId = z
  .uuid()
  .meta({ description: 'A process of Keks.', example: '5b1cde0e-9a4b-4a55-9e0b-3f6d6f1f0c11' });

const guard = z
  .object({
    name: z
      .string()
      .meta({ description: 'That it gave itself at its start.', example: 'b1R8Zq0uQ5mUu3N6m2vYtA' }),
    client_id: z
      .string()
      .meta({ description: 'The API that it belongs to.', example: 'c-0123456789abcdef01234567' }),
    instance: instanceId,
    lease_ms: count(870, 'What is left of its lease. 0: it is over, and the guard has not asked again.'),
    behind: count(0, 'Revocations that it has not confirmed.'),
    awaited_by: count(0, 'Revokes that wait for it.'),
    described_ms_ago: count(120, 'So long ago this was so.'),
  })
  .meta({ id: 'Guard' });

const instance = z
  .object({
    instance: instanceId,
    guards: count(1, 'How many follow it.'),
    lease_ttl_ms: count(1_000, 'Its `LEASE_TTL`.'),
    renewed_ms_ago: count(
      130,
      'When it said last that its guards may hold leases. Longer ago than `lease_ttl_ms`: it is gone, or cannot reach the database.',
    ),
    unconfirmed: count(
      0,
      'Revocations that it has not said yet to be known by all of its guards; 10,000 at most.',
    ),
  })
  .meta({ id: 'InstanceWithGuards' });

export const guardsAnswer = z
  .object({ instances: z.array(instance), items: z.array(guard) })
  .meta({ id: 'GuardsAnswer' });

export type GuardsAnswer = z.infer<typeof guardsAnswer>;
