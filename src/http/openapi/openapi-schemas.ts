import type { OpenAPIObject } from '@nestjs/swagger';

/**
 * Formats that need no pattern. The patterns beside them have 150 characters and more: generators fail on them, or take
 * them as the pattern of the type itself.
 */
const WHOLE = new Set(['date-time', 'uuid', 'uri', 'email']);

/**
 * Removes what generated clients cannot handle. An answer may have further members in a later version, so no object is
 * closed. A format replaces its pattern. A list of one schema becomes that schema.
 */
export function easeSchemas(document: OpenAPIObject): void {
  ease(document.components?.schemas);
  ease(document.paths);
}

function ease(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const schema = node as Record<string, unknown>;
  if (schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (typeof schema['pattern'] === 'string' && WHOLE.has(String(schema['format']))) delete schema['pattern'];
  const all = schema['allOf'];
  if (Array.isArray(all) && all.length === 1 && Object.keys(schema).length === 1) {
    delete schema['allOf'];
    Object.assign(schema, all[0]);
  }
  for (const inner of Object.values(schema)) ease(inner);
}
