import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Distribution } from '../auth/telemetry/telemetry.js';

/** Upper bounds of the durations: seconds. */
export const TRAFFIC_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** A request for an unknown path can name any method, so only these methods become labels. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const NO_ROUTE = 'none';

/** The counts of the requests to one route. */
export class RouteTraffic {
  /** Counts by the first digit of the status. */
  readonly statuses = [0, 0, 0, 0, 0, 0];
  readonly seconds = new Distribution(TRAFFIC_BOUNDS);

  constructor(
    readonly method: string,
    readonly route: string,
  ) {}

  note(status: number, milliseconds: number): void {
    const digit = Math.floor(status / 100);
    this.statuses[digit] = (this.statuses[digit] ?? 0) + 1;
    this.seconds.note(milliseconds / 1_000);
  }
}

/**
 * Counts requests by the pattern of their route, never by their path. Each route gets its counter when it is
 * registered, so that no request has to look for a counter.
 */
@Injectable()
export class HttpTraffic {
  private readonly routes: RouteTraffic[] = [];
  private readonly strays = new Map<string, RouteTraffic>();

  /** Runs before Nest registers the routes, because Nest makes services first. */
  constructor(adapters: HttpAdapterHost) {
    const instance = adapters.httpAdapter.getInstance<FastifyInstance>();
    for (const method of [...METHODS, 'OTHER']) this.strays.set(method, this.counter(method, NO_ROUTE));
    instance.addHook('onRoute', (route) => {
      const own = route.onResponse === undefined ? [] : [route.onResponse].flat();
      const [method = 'OTHER', ...more] = [route.method].flat();
      const traffic = this.counter(more.length === 0 ? method : 'ANY', route.url);
      route.onResponse = [
        ...own,
        (_request, reply, done) => {
          traffic.note(reply.statusCode, reply.elapsedTime);
          done();
        },
      ];
    });
    instance.addHook('onResponse', (request, reply, done) => {
      // every OPTIONS runs through a route of the CORS plugin, which was registered before
      if (request.is404 || request.method === 'OPTIONS')
        this.stray(request.method).note(reply.statusCode, reply.elapsedTime);
      done();
    });
  }

  /** All routes, requested or not. */
  registered(): readonly RouteTraffic[] {
    return this.routes.filter(({ route }) => route !== NO_ROUTE);
  }

  /** Only routes that were requested. */
  seen(): RouteTraffic[] {
    return this.routes.filter((one) => one.statuses.some((count) => count > 0));
  }

  private stray(method: string): RouteTraffic {
    const traffic = this.strays.get(method) ?? this.strays.get('OTHER');
    if (!traffic) throw new Error('there is a counter for other methods');
    return traffic;
  }

  private counter(method: string, route: string): RouteTraffic {
    const traffic = new RouteTraffic(method, route);
    this.routes.push(traffic);
    return traffic;
  }
}
