import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';

/** The answer of `GET /metrics`. */
export abstract class MetricsText {
  /** In the text format of Prometheus. @throws Unavailable */
  abstract text(): Promise<string>;
}

/** The numbers of one process at one moment, in a form that can be sent to another process. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

export async function textOf(registry: Registry): Promise<string> {
  const text = await registry.metrics();
  // prom-client writes Nan for a lag that was not measured since the last reading; the format knows only NaN
  return text.replaceAll(/ Nan$/gm, ' NaN');
}

/** A snapshot without NaN and infinite values: JSON cannot carry them, and they would spoil a sum. */
export async function snapshotOf(registry: Registry): Promise<Snapshot> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map((metric) => {
    const { values } = metric as Snapshot[number];
    return { ...metric, values: values.filter(({ value }) => Number.isFinite(value)) };
  });
}
