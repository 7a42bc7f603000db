import { applyDecorators, Controller, Get, Header, type Type } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Public } from 'keks-guard';
import { Guarded } from 'keks-guard/swagger';
import type { Config } from '../config/config.js';
import { MetricsText } from './metrics-text.js';

/** The scope that lets a token read the metrics if they are not open to everybody. */
export const METRICS_SCOPE = 'keks:metrics';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const EXAMPLE = '# TYPE keks_login_lane_waiting gauge\nkeks_login_lane_waiting 0\n';

/**
 * The metrics on the main port. With the embedded database, which runs on a person's own machine, they are open to
 * everybody. With an external database they need a token with the scope. With OPS_PORT they are not on the main port at
 * all.
 */
export function metricsControllers({ OPS_PORT, embedded }: Pick<Config, 'OPS_PORT' | 'embedded'>): Type[] {
  if (OPS_PORT !== undefined) return [];
  return [metricsController(embedded ? applyDecorators(Public()) : Guarded(METRICS_SCOPE))];
}

export function metricsController(access: ClassDecorator): Type {
  @access
  @Controller()
  class MetricsController {
    constructor(private readonly metrics: MetricsText) {}

    @Get('metrics')
    @Header('Content-Type', CONTENT_TYPE)
    @ApiOperation({
      summary: 'Numbers for Prometheus',
      description: `Open with the embedded database; otherwise for the scope \`${METRICS_SCOPE}\`. With \`OPS_PORT\` it is served there, and not here.`,
      tags: ['operating'],
    })
    @ApiResponse({
      status: 200,
      description: 'Since the start, in the text format of Prometheus; of all workers together.',
      content: { 'text/plain': { schema: { type: 'string' }, example: EXAMPLE } },
    })
    read(): Promise<string> {
      return this.metrics.text();
    }
  }
  return MetricsController;
}
