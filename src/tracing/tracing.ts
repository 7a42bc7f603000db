/**
 * Owns the places at which work can be watched, never who watches. Without a tracer each costs the look at one variable,
 * and nothing of OpenTelemetry is loaded.
 */

/** What a span tells: numbers and words of a closed set, never anything that came with a request. */
export type SpanFacts = Readonly<Record<string, string | number>>;

/** Under which span some code runs; only a tracer can read it. */
export type SpanPlace = object;

export interface Tracer {
  /**
   * Whatever happens in `work` is below the new span.
   * @param askers where those stand for whom it is done together; the span is below the first, and linked to the others
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

/** To be handed to `traced` when the work is done later, together with other people's. */
export function spanPlace(): SpanPlace | undefined {
  return tracer?.here();
}
