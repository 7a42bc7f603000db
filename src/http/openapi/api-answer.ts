import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { BearerErrorCode } from 'keks-guard';
import { BEARER_ERRORS } from 'keks-guard/internals';
import { z } from 'zod';
import { WIRE_ERRORS, type WireErrorCode } from '../errors/wire-error.js';

type ErrorCode = WireErrorCode | BearerErrorCode;

const ERRORS: Record<ErrorCode, readonly [number, string]> = { ...BEARER_ERRORS, ...WIRE_ERRORS };

/** The one error shape on the wire. */
export const errorAnswer = z
  .object({
    error: z.string().meta({ description: 'One code of a closed list.', example: 'invalid_request' }),
    error_description: z.string().meta({
      description:
        'One constant sentence of a closed list, several to a code. Nothing that came in is repeated.',
    }),
    parameter: z.string().optional().meta({
      description: 'The member or parameter that it is about, as this document spells it.',
      example: 'user',
    }),
  })
  .meta({ id: 'Error' });

/** Documents a success. Without a schema, the answer has no body. */
export function ApiAnswer(
  status: number,
  schema: z.ZodType | undefined,
  description: string,
): MethodDecorator {
  return ApiResponse({ status, description, ...(schema && { standardSchema: schema }) });
}

/** Documents the errors that a route itself can answer. The errors of every route are added to the document later. */
export function ApiErrors(...codes: ErrorCode[]): MethodDecorator & ClassDecorator {
  const statuses = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const [status] = ERRORS[code];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return applyDecorators(
    ...[...statuses].map(([status, sameStatus]) =>
      ApiResponse({
        status,
        standardSchema: errorAnswer,
        description: sameStatus.map((code) => `\`${code}\`: ${ERRORS[code][1]}`).join(' '),
      }),
    ),
  );
}
