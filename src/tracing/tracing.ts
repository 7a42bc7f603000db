/**
 * Owns the places where work can be traced, never the tracer. Without a tracer, each place reads one variable, and no
 * OpenTelemetry code is loaded.
 */

/** The attributes of a span: numbers, and words from a closed set. They never come from a request. */
export type SpanFacts = Readonly<Record<string, string | number>>;

/** The span under which some code runs; only the tracer can read it. */
export type SpanPlace = object;

export interface Tracer {
  /**
   * Runs `work` below a new span.
   * @param askers the spans of the callers that `work` serves together: the new span is below the first one and linked
   * to the others
   */
  span<T>(
    name: string,
    facts: SpanFacts,
    work: () => Promise<T>,
    askers: readonly (SpanPlace | undefined)[],
  ): Promise<T>;
  here(): SpanPlace | undefined;
}

let tracer: Tracer | undefined;

/** Sets the tracer of the whole process. */
export function setTracer(one: Tracer | undefined): void {
  tracer = one;
}

export function traced<T>(
  name: string,
  facts: SpanFacts,
  work: () => Promise<T>,
  askers: readonly (SpanPlace | undefined)[] = [],
): Promise<T> {
  return tracer === undefined ? work() : tracer.span(name, facts, work, askers);
}

/** The present span, to pass to `traced` if the work is done later, together with the work of others. */
export function spanPlace(): SpanPlace | undefined {
  return tracer?.here();
}
