/**
 * The parts of an error that may go into the log. Drivers attach parameters, rows and SQL to their errors; these are
 * left out.
 */
export interface ErrorRecord {
  readonly type: string;
  readonly code?: string;
  readonly message: string;
  readonly stack: readonly string[];
  readonly cause?: ErrorRecord;
}

const MESSAGE_LIMIT = 300;
const STACK_LIMIT = 12;
const CAUSE_LIMIT = 4;

// Matches long random text: tokens, secrets and digests, as base64url or hexadecimal. Base64url must have both cases
// and a digit, because long database identifiers have only one case.
const SECRET_LIKE =
  /(?<![\w+-])(?:(?=[\w+-]*[A-Z])(?=[\w+-]*[a-z])(?=[\w+-]*\d)[\w+.-]{24,}|[0-9a-f]{40,}(?![\w+-]))/g;

export function errorRecord(thrown: unknown, depth = 0): ErrorRecord {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: '', stack: [] };
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  return {
    type: thrown.name,
    ...(code !== undefined && { code }),
    message: redact(thrown.message),
    stack: framesOf(thrown.stack),
    ...(thrown.cause !== undefined && depth < CAUSE_LIMIT && { cause: errorRecord(thrown.cause, depth + 1) }),
  };
}

/** The message, cut to 300 characters. Text that looks like a secret is replaced. */
export function redact(message: string): string {
  return message.slice(0, MESSAGE_LIMIT).replaceAll(SECRET_LIKE, '[redacted]');
}

/** The frames of a stack, without the first lines, which repeat the message. */
function framesOf(stack = ''): string[] {
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, STACK_LIMIT)
    .map((line) => line.trim());
}
