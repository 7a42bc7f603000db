import { z } from 'zod';
import { reason } from '../../http/errors/reasons.js';

/** The wire shapes that all lists share: `?limit=&cursor=` in, `{"items", "next"}` out. */

export const LIMIT_DEFAULT = 20;
export const LIMIT_MOST = 100;

/** Decimal digits only. `Number` would also accept `1e1`, `0x10` and blanks, which are mistakes. */
const limit = z
  .string()
  .refine((text) => /^[1-9]\d{0,2}$/.test(text) && Number(text) <= LIMIT_MOST, reason('bad_limit'))
  .transform(Number)
  .default(LIMIT_DEFAULT)
  .meta({
    description: 'Items on a page.',
    type: 'integer',
    minimum: 1,
    maximum: LIMIT_MOST,
    default: LIMIT_DEFAULT,
  });

const cursor = z
  .string()
  .min(1, reason('bad_cursor'))
  .optional()
  .meta({ description: '`next` of the page before: opaque, and good for this list only.' });

export const pageQuery = z.object({ limit, cursor });

export type PageQuery = z.infer<typeof pageQuery>;

export interface List<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

const next = z
  .string()
  .nullable()
  .meta({ description: 'The cursor of the next page; null on the last one.', example: null });

/** The schema of one page of a list. */
export function listOf<T extends z.ZodType>(id: string, item: T) {
  return z.object({ items: z.array(item), next }).meta({ id });
}

/** RFC 3339, UTC. */
export const time = z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' });
