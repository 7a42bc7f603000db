import { Counter, Gauge, type Metric } from 'prom-client';
import type { LoginLane } from '../auth/users/login-lane.js';
import type { Database } from '../database/database.js';
import type { HttpTraffic } from './http-traffic.js';
import { PlainHistogram } from './plain-histogram.js';

const STATUSES = [1, 2, 3, 4, 5];

export function laneMetrics(lane: LoginLane): Metric[] {
  const waiting = new Gauge({
    registers: [],
    name: 'keks_login_lane_waiting',
    help: 'Logins that wait for their password to be hashed.',
    collect() {
      this.set(lane.waiting);
    },
  });
  return [waiting];
}

export function databaseMetrics(database: Database): Metric[] {
  const connections = new Gauge({
    registers: [],
    name: 'keks_database_connections',
    help: 'Open connections to PostgreSQL, by pool (hot: validations) and by whether they are in use.',
    labelNames: ['pool', 'state'],
    collect() {
      for (const [pool, { total, idle }] of Object.entries(database.pools())) {
        this.set({ pool, state: 'busy' }, total - idle);
        this.set({ pool, state: 'idle' }, idle);
      }
    },
  });
  const waiting = new Gauge({
    registers: [],
    name: 'keks_database_waiting',
    help: 'Statements that wait for a connection.',
    labelNames: ['pool'],
    collect() {
      for (const [pool, numbers] of Object.entries(database.pools())) this.set({ pool }, numbers.waiting);
    },
  });
  return [connections, waiting];
}

export function trafficMetrics(traffic: HttpTraffic): Metric[] {
  const requests = new Counter({
    registers: [],
    name: 'keks_http_requests_total',
    help: 'Answered requests, by the pattern of the route (none: no such address) and the class of the status.',
    labelNames: ['method', 'route', 'status'],
    collect() {
      this.reset();
      for (const { method, route, statuses } of traffic.seen())
        for (const digit of STATUSES)
          if (statuses[digit]) this.inc({ method, route, status: `${digit}xx` }, statuses[digit]);
    },
  });
  const durations = new PlainHistogram(
    {
      name: 'keks_http_request_duration_seconds',
      help: 'From the head of the request to the end of the answer.',
      labelNames: ['method', 'route'],
    },
    () =>
      traffic.seen().map(({ method, route, seconds }) => ({ labels: { method, route }, values: seconds })),
  );
  return [requests, durations];
}

export function buildMetrics(version: string): Metric[] {
  const info = new Gauge({
    registers: [],
    name: 'keks_build_info',
    help: 'Always 1: the labels are what is told.',
    labelNames: ['version', 'node'],
  });
  info.set({ version, node: process.version }, 1);
  const workers = new Gauge({
    registers: [],
    name: 'keks_workers',
    help: 'Processes that serve.',
  });
  workers.set(1);
  return [info, workers];
}
