import { Injectable } from '@nestjs/common';
import type { Metric } from 'prom-client';
import { GuardLeases } from '../auth/leases/guard-leases.js';
import { ReceiverUpkeep } from '../auth/receivers/receiver-upkeep.js';
import { Telemetry } from '../auth/telemetry/telemetry.js';
import { LoginLane } from '../auth/users/login-lane.js';
import { Clock } from '../database/clock.js';
import { guardMetrics } from './guard-metrics.js';
import { laneMetrics } from './process-metrics.js';
import { receiverMetrics } from './receiver-metrics.js';

/**
 * Metrics of everything that waits for something other than the database: logins for their turn, ends for guards, and
 * events for receivers.
 */
@Injectable()
export class WaitMetrics {
  readonly all: readonly Metric[];

  constructor(
    lane: LoginLane,
    leases: GuardLeases,
    telemetry: Telemetry,
    receivers: ReceiverUpkeep,
    clock: Clock,
  ) {
    this.all = [
      ...laneMetrics(lane),
      ...guardMetrics(leases, telemetry),
      ...receiverMetrics(receivers, () => clock.now()),
    ];
  }
}
