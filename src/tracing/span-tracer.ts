import {
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import type { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanFacts, SpanPlace, Tracer } from './tracing.js';

/** Spans of the work inside a request. */
export class SpanTracer implements Tracer {
  constructor(
    private readonly otel: OtelTracer,
    private readonly places: AsyncLocalStorage<Context>,
  ) {}

  async span<T>(
    name: string,
    facts: SpanFacts,
    work: () => Promise<T>,
    askers: readonly (SpanPlace | undefined)[],
  ): Promise<T> {
    const [first, ...others] = askers as readonly (Context | undefined)[];
    const below = first ?? this.here() ?? ROOT_CONTEXT;
    const links = others.flatMap((one) => {
      const context = one && trace.getSpanContext(one);
      return context ? [{ context }] : [];
    });
    const span = this.otel.startSpan(name, { attributes: facts, links }, below);
    try {
      return await this.places.run(trace.setSpan(below, span), work);
    } catch (error) {
      markFailed(span, error);
      throw error;
    } finally {
      span.end();
    }
  }

  here(): Context | undefined {
    return this.places.getStore();
  }
}

/** Notes only the name of the error, because its message may quote secrets. */
export function markFailed(span: Span, error: unknown): void {
  span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
  span.setStatus({ code: SpanStatusCode.ERROR });
}
