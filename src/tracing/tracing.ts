/**
 * Owns the places at which work can be traced, never the tracer. Without a tracer, each place costs a look at one variable,
 * and nothing of OpenTelemetry is loaded.
 */

/** What a span says: numbers, and words from a closed set; never anything from a request. */
export type SpanFacts = Readonly<Record<string, string | number>>;

/** The span under which some code runs; only the tracer can read it. */
export type SpanPlace = object;

export interface Tracer {
  /**
   * Runs `work` below a new span.
   * @param askers the spans of those for whom it is done together: the new span is below the first and linked to the others
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

/** For the whole process. */
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

/** For `traced`, if the work is done later, together with the work of others. */
export function spanPlace(): SpanPlace | undefined {
  return tracer?.here();
}
