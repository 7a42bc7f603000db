import { StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { z } from 'zod';
import { isReason, type Reason } from '../errors/reasons.js';
import { WireError } from '../errors/wire-error.js';
import { isResembled } from './resemblance.js';

/** Checks bodies and queries against their schemas. A refusal names the member as the schema spells it. */
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

/** Checks a value for code that runs before the pipe. @throws WireError */
export function requireShape<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.error) throw refusalOf(schema, value, result.error.issues);
  return result.data;
}

/**
 * The part of a zod issue that every standard schema has. The message may be one of our reasons: `refine(...,
 * 'bad_limit')`.
 */
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
    // the query parser turns a parameter that comes twice into a list of both values
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
  // the issue is inside the member: the kind of the member itself is right
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
