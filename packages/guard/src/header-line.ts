/** A header that came more than once. */
export const REPEATED = Symbol('repeated');

/** The headers of a request, as Node gives them to Express and Fastify. */
export interface HeaderLines {
  readonly rawHeaders?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
}

/**
 * The one line of a header. The raw lines show a second line, which Node hides or joins. Adapters for functions in a cloud make
 * requests without raw lines: there the header counts as they give it.
 * @param name in lower case
 */
export function onlyLine(
  { rawHeaders, headers }: HeaderLines,
  name: string,
): string | typeof REPEATED | undefined {
  if (!rawHeaders?.length) {
    const line = headers?.[name];
    return typeof line === 'object' ? REPEATED : line;
  }
  let found: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const one = rawHeaders[at];
    if (one === undefined || one.length !== name.length || one.toLowerCase() !== name) continue;
    if (found !== undefined) return REPEATED;
    found = rawHeaders[at + 1] ?? '';
  }
  return found;
}

/** Unchecked (W3C Trace Context §3.2). */
export function traceOf({ headers }: HeaderLines): string | undefined {
  const trace = headers?.['traceparent'];
  return typeof trace === 'string' ? trace : undefined;
}
