import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { z } from 'zod';
import { isReason, type Reason } from '../errors/reasons.js';
import { WireError } from '../errors/wire-error.js';
import { isResembled } from './resemblance.js';

/** Checks bodies and queries against their schemas. A refusal names the member by its name in the schema. */
export class SchemaPipe extends StandardSchemaValidationPipe {
  override async transform<T = unknown>(value: T, metadata: ArgumentMetadata): Promise<T> {
    const { schema } = metadata;
    if (!schema || !this.toValidate(metadata)) return value;
    this.stripProtoKeys(value);
    const result = await this.validate(value, schema);
    if (result.issues) throw refusalOf(schema, value, result.issues, metadata.type === 'query');
    return result.value as T;
  }
}

/** For what runs before the pipe does. @throws WireError */
export function requireShape<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.error) throw refusalOf(schema, value, result.error.issues);
  return result.data;
}

/** As much of a zod issue as every standard schema has. The message may be a reason of ours: `refine(..., 'bad_limit')`. */
interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[] | undefined;
  readonly code?: string;
  readonly expected?: string;
}

function refusalOf(schema: unknown, value: unknown, issues: readonly Issue[], query = false): WireError {
  if (typeof value !== 'object' || value === null) return WireError.because('no_body');
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const sent = new Map<string, unknown>(Object.entries(value));
  const strangers = [...sent.keys()].filter((name) => !names.includes(name));
  const absent = (name: string): boolean => sent.get(name) === undefined;
  for (const issue of issues) {
    const name = names.find((one) => one === issue.path?.[0]);
    if (name === undefined) continue;
    // a query that names a parameter twice is read as a list of both
    if (query && Array.isArray(sent.get(name))) return WireError.because('repeated', name);
    if (!absent(name) || isReason(issue.message))
      return WireError.because(reasonOf(issue, sent.get(name)), name);
    return WireError.because(isResembled(name, strangers) ? 'misspelled' : 'missing', name);
  }
  const meant = names.find((name) => absent(name) && isResembled(name, strangers));
  if (meant !== undefined) return WireError.because('misspelled', meant);
  const reason = issues.map(({ message }) => message).find(isReason);
  return reason ? WireError.because(reason) : new WireError('invalid_request');
}

const KINDS: Readonly<Record<string, Reason>> = {
  string: 'not_text',
  boolean: 'not_boolean',
  int: 'not_integer',
  number: 'not_integer',
  array: 'not_list',
};

function reasonOf({ message, code, expected, path }: Issue, value: unknown): Reason {
  if (isReason(message)) return message;
  // below the member: what is wrong is not the member's own kind
  if ((path?.length ?? 0) > 1) return 'wrong_form';
  switch (code) {
    case 'invalid_type':
      return KINDS[expected ?? ''] ?? 'wrong_form';
    case 'invalid_value':
      return 'not_listed';
    case 'too_small':
    case 'too_big':
      return value === '' ? 'empty' : 'out_of_range';
    default:
      return 'wrong_form';
  }
}
