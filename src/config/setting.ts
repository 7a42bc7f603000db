/** A setting: how its text becomes a value, the text it has by default, and one sentence for docs/reference.md. */
export interface Setting<T> {
  readonly parse: (text: string) => T;
  readonly fallback?: string;
  readonly summary: string;
}

export function setting<T>(
  parse: (text: string) => T,
  fallback: string,
  summary: string,
): Setting<T> & { fallback: string };
export function setting<T>(parse: (text: string) => T, fallback: undefined, summary: string): Setting<T>;
export function setting<T>(
  parse: (text: string) => T,
  fallback: string | undefined,
  summary: string,
): Setting<T> {
  return fallback === undefined ? { parse, summary } : { parse, fallback, summary };
}
