/**
 * Owns how spans reach a collector. OpenTelemetry is loaded only if there is a collector. Never decides what is traced.
 */
import { defaultTextMapGetter, diag, DiagLogLevel, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { FastifyInstance } from 'fastify';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import { installRequestSpans } from './request-spans.js';
import { SpanTracer } from './span-tracer.js';
import { setTracer } from './tracing.js';

/** How long a stopping process waits for the collector to take the last spans: milliseconds. Later spans are lost. */
const LAST_EXPORT_MS = 2_000;

/**
 * Traces the requests of this application until it closes. The SDK itself reads the variables of the OpenTelemetry
 * specification (OTEL_*): the address, the interval, the sampling and the service name.
 */
export function startTracing(instance: FastifyInstance, version: string, logger: Logger): void {
  diag.setLogger(warnings(logger), DiagLogLevel.WARN);
  const ours = resourceFromAttributes({ 'service.name': 'keks', 'service.version': version });
  const theirs = detectResources({ detectors: [envDetector] });
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(ours).merge(theirs),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const places = new AsyncLocalStorage<Context>();
  const otel = provider.getTracer('keks', version);
  setTracer(new SpanTracer(otel, places));
  const propagator = new W3CTraceContextPropagator();
  installRequestSpans(instance, otel, places, (headers) =>
    propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter),
  );
  instance.addHook('onClose', async () => {
    setTracer(undefined);
    await Promise.race([provider.shutdown().catch(() => undefined), unrefPause(LAST_EXPORT_MS)]);
  });
}

/** Logs the SDK's complaints without their arguments, because these may quote an address with credentials. */
function warnings(logger: Logger): Parameters<typeof diag.setLogger>[0] {
  const quiet = (): void => undefined;
  const warn = (message: string): void =>
    logger.warn(`tracing: ${message.startsWith('{') ? 'spans could not be sent' : message}`);
  return { error: warn, warn, info: quiet, debug: quiet, verbose: quiet };
}

function unrefPause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}
