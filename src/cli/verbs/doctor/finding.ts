/** What one look found. `mend` says what to do about it. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly mend?: string;
}

export function ok(check: string, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warn(check: string, message: string, mend: string): Finding {
  return { check, status: 'warn', message, mend };
}

export function fail(check: string, message: string, mend: string): Finding {
  return { check, status: 'fail', message, mend };
}
