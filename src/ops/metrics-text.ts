import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';

/** What `GET /metrics` says. */
export abstract class MetricsText {
  /** In the text format of Prometheus. @throws Unavailable */
  abstract text(): Promise<string>;
}

/** The numbers of one process at one moment, as they can be sent to another one. */
export type Snapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

export async function textOf(registry: Registry): Promise<string> {
  const text = await registry.metrics();
  // prom-client writes Nan, for a lag that was not measured since the last reading; the format knows NaN only
  return text.replaceAll(/ Nan$/gm, ' NaN');
}

/** Without what is not a number: it would not survive the way, and would spoil a sum. */
export async function snapshotOf(registry: Registry): Promise<Snapshot> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map((metric) => {
    const { values } = metric as Snapshot[number];
    return { ...metric, values: values.filter(({ value }) => Number.isFinite(value)) };
  });
}
