import { BEARER_ERRORS } from 'keks-guard/internals';
import { expect } from 'vitest';
import { REASONS, sentenceOf, type Reason } from '../../src/http/errors/reasons.js';
import { WIRE_ERRORS } from '../../src/http/errors/wire-error.js';

const CODES: Readonly<Record<string, readonly [number, string] | undefined>> = WIRE_ERRORS;
const BEARER_CODES: Readonly<Record<string, readonly [number, string] | undefined>> = BEARER_ERRORS;

/** Every sentence that may come with a code and a member. */
function sentencesOf(code: string, parameter: string | undefined): string[] {
  const plain = [CODES[code]?.[1], BEARER_CODES[code]?.[1]].filter((text) => text !== undefined);
  const reasons = (Object.keys(REASONS) as Reason[]).filter((reason) => REASONS[reason][0] === code);
  const sayable = reasons.filter((reason) => parameter !== undefined || !REASONS[reason][1].includes('$'));
  return [...plain, ...sayable.map((reason) => sentenceOf(reason, parameter))];
}

/** Whether an error is of the one shape and the closed list, and about nothing but one of these names. */
export function isListed(body: unknown, names?: readonly string[]): boolean {
  const { error, error_description, parameter, ...more } = body as Record<string, string | undefined>;
  if (error === undefined || error_description === undefined || Object.keys(more).length > 0) return false;
  if (parameter !== undefined && (!/^[a-z_]+$/.test(parameter) || names?.includes(parameter) === false))
    return false;
  return sentencesOf(error, parameter).includes(error_description);
}

export function expectListed(status: number, body: unknown, wanted: number, error: string): void {
  expect([status, (body as { error?: unknown }).error]).toEqual([wanted, error]);
  expect(body).toSatisfy((one: unknown) => isListed(one), 'is of the closed list');
}
