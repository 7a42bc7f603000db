import { Inject, Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { Telemetry } from '../auth/telemetry/telemetry.js';
import { authorityMetrics } from './authority-metrics.js';
import { HttpTraffic } from './http-traffic.js';
import { MetricsText, snapshotOf, textOf, type Snapshot } from './metrics-text.js';
import { StateMetrics } from './state-metrics.js';
import { WaitMetrics } from './wait-metrics.js';
import { buildMetrics, trafficMetrics } from './process-metrics.js';

/** The version that the metrics report. */
export const BUILD = Symbol('BUILD');

/**
 * Owns the metrics of this process. Other code counts, in plain numbers, and this class reads them when somebody asks.
 * A label never has a value from a request.
 */
@Injectable()
export class Metrics extends MetricsText {
  private readonly registry = new Registry();

  constructor(
    telemetry: Telemetry,
    waits: WaitMetrics,
    state: StateMetrics,
    traffic: HttpTraffic,
    @Inject(BUILD) version: string,
  ) {
    super();
    const metrics = [
      ...authorityMetrics(telemetry),
      ...waits.all,
      ...state.all,
      ...trafficMetrics(traffic),
      ...buildMetrics(version),
    ];
    for (const metric of metrics) this.registry.registerMetric(metric);
    collectDefaultMetrics({ register: this.registry });
  }

  text(): Promise<string> {
    return textOf(this.registry);
  }

  snapshot(): Promise<Snapshot> {
    return snapshotOf(this.registry);
  }
}
