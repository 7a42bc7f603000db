import { Validator } from '@seriousme/openapi-schema-validator';
import { request } from '../support/test-app.js';

/** As much of JSON Schema as the document uses. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly example?: unknown;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

export interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface Parameter {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly schema: Schema;
}

export interface Documented {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Operation {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** Media type and schema of the body, where there is one. */
  readonly body: { readonly type: string; readonly schema: Schema } | undefined;
  /** `bearer`, `client` or neither. */
  readonly security: string | undefined;
  readonly responses: Readonly<Record<string, Documented>>;
}

interface RawOperation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Documented;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, Documented>>;
}

/** Every operation of the document that the server hands out, with nothing left to look up in it. */
export async function operationsOf(url: string): Promise<Operation[]> {
  const validator = new Validator();
  const { body } = await request(url, '/docs-json', {});
  await validator.validate(body as Record<string, unknown>);
  const { paths } = validator.resolveRefs() as unknown as {
    paths: Record<string, Record<string, RawOperation>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => {
      const [content] = Object.entries(raw.requestBody?.content ?? {});
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: raw.parameters ?? [],
        body: content && { type: content[0], schema: content[1].schema },
        security: Object.keys(raw.security?.[0] ?? {})[0],
        responses: raw.responses,
      };
    }),
  );
}

/** What its errors may be about: the names of its members and parameters. */
export function namesOf({ parameters, body }: Operation): string[] {
  const queried = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  return [...queried, ...Object.keys(body?.schema.properties ?? {})];
}
