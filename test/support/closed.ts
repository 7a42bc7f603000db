/**
 * A schema of an answer as we keep it: clients are told that members may be added, and what is not documented is still a
 * mistake of ours.
 */
export function closed<Schema>(schema: Schema): Schema {
  if (Array.isArray(schema)) return schema.map(closed) as Schema;
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.entries(schema).map(([name, value]) => [name, closed(value as unknown)]);
  const copy = Object.fromEntries(inner) as Record<string, unknown>;
  const isObject = copy['type'] === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return (isObject ? { ...copy, additionalProperties: false } : copy) as Schema;
}
