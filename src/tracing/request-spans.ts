import {
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer as OtelTracer,
} from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AsyncLocalStorage } from 'node:async_hooks';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface Watched {
  readonly span: Span;
  readonly context: Context;
}

/**
 * Adds one server span for each request, below the `traceparent` of the request. Like the log, it has the pattern of
 * the route and never the path, because people paste secrets into paths by mistake.
 */
export function installRequestSpans(
  instance: FastifyInstance,
  otel: OtelTracer,
  places: AsyncLocalStorage<Context>,
  parentOf: (headers: FastifyRequest['headers']) => Context,
): void {
  const watched = new WeakMap<FastifyRequest, Watched>();
  instance.addHook('onRequest', (request, _reply, done) => {
    const parent = parentOf(request.headers);
    const method = METHODS.has(request.method) ? request.method : '_OTHER';
    const route = request.is404 ? undefined : request.routeOptions.url;
    const span = otel.startSpan(
      route === undefined ? method : `${method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': method,
          ...(route !== undefined && { 'http.route': route }),
          'keks.request_id': request.id,
        },
      },
      parent,
    );
    watched.set(request, { span, context: trace.setSpan(parent, span) });
    done();
  });
  // not before this hook: a body is read in the context of its socket, which knows no request
  instance.addHook('preValidation', (request, _reply, done) => {
    const found = watched.get(request);
    if (found) places.run(found.context, done);
    else done();
  });
  instance.addHook('onResponse', (request, reply, done) => {
    const span = watched.get(request)?.span;
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) {
      span?.setAttribute('error.type', String(reply.statusCode));
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
    done();
  });
}
