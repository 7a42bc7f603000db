import type { ObjectLiteral, Repository } from 'typeorm';
import type { Position, Positioned } from './cursors.js';

/**
 * One page of entities with `created_at` and `id`, newest first. A repository cannot compare two columns at once, and
 * it cuts times to milliseconds, so a page would skip rows. So the condition is SQL, and the position is text as
 * PostgreSQL writes it.
 */
export async function newestFirst<E extends ObjectLiteral>(
  of: Repository<E>,
  [at, id]: Position,
  count: number,
): Promise<(E & Positioned)[]> {
  const { entities, raw } = await of
    .createQueryBuilder('e')
    .addSelect('ARRAY[e.created_at::text, e.id::text]', 'position')
    .where('(e.created_at, e.id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))', { at, id })
    .orderBy('e.createdAt', 'DESC')
    .addOrderBy('e.id', 'DESC')
    .limit(count)
    .getRawAndEntities<Positioned>();
  return entities.map((entity, index) => Object.assign(entity, { position: raw[index]?.position ?? [] }));
}
