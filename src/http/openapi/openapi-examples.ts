import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Schema = Schemas[string];
type Content = Record<string, { schema?: Schema; example?: unknown; examples?: unknown }>;

const FORM = 'application/x-www-form-urlencoded';

/** Gives every body an example, built from the examples in its schema, so that no tool has to guess. */
export function addExamples(operation: Operation, schemas: Schemas): void {
  const bodies = [operation.requestBody, ...Object.values(operation.responses)];
  for (const body of bodies) {
    if (!body || !('content' in body)) continue;
    for (const [type, media] of Object.entries((body.content ?? {}) as Content)) {
      if (!media.schema || media.example !== undefined || media.examples !== undefined) continue;
      const example = exampleOf(media.schema, schemas, type === FORM);
      if (example !== undefined) media.example = example;
    }
  }
}

/** @param sparse only required members: the optional parameters of OAuth's forms exclude one another */
function exampleOf(schema: Schema, schemas: Schemas, sparse = false): unknown {
  if ('$ref' in schema) {
    const target = schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)];
    return target && exampleOf(target, schemas, sparse);
  }
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  const alternative = (schema.anyOf ?? schema.oneOf ?? schema.allOf)?.[0];
  if (alternative) return exampleOf(alternative, schemas, sparse);
  if (schema.type === 'boolean') return true;
  if (schema.type === 'array' && schema.items) return exampleOfArray(schema.items, schemas);
  if (schema.type !== 'object') return undefined;
  const members = Object.entries(schema.properties ?? {})
    .filter(([name]) => !sparse || schema.required?.includes(name))
    .map(([name, member]) => [name, exampleOf(member, schemas)] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function exampleOfArray(items: Schema, schemas: Schemas): unknown[] {
  const item = exampleOf(items, schemas);
  return item === undefined ? [] : [item];
}
