import { Injectable } from '@nestjs/common';
import type { Metric } from 'prom-client';
import { GuardLeases } from '../auth/leases/guard-leases.js';
import { Telemetry } from '../auth/telemetry/telemetry.js';
import { LoginLane } from '../auth/users/login-lane.js';
import { guardMetrics } from './guard-metrics.js';
import { laneMetrics } from './process-metrics.js';

/** What requests wait for beside the database: logins for their turn, and ends for guards. */
@Injectable()
export class WaitMetrics {
  readonly all: readonly Metric[];

  constructor(lane: LoginLane, leases: GuardLeases, telemetry: Telemetry) {
    this.all = [...laneMetrics(lane), ...guardMetrics(leases, telemetry)];
  }
}
