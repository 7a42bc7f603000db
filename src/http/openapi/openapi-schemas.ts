import type { OpenAPIObject } from '@nestjs/swagger';

/** Formats that say all; the pattern beside them has 150 characters and more, which generators choke on or take for the type's own. */
const WHOLE = new Set(['date-time', 'uuid', 'uri', 'email']);

/**
 * What generated clients stumble over. An answer may have further members in a later version, so none is closed; a format
 * stands for its pattern; a list of one schema is that schema.
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
