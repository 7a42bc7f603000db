import { Histogram, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';
import type { Distribution } from '../auth/telemetry/telemetry.js';

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly values: Distribution;
}

interface Description {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/**
 * A histogram of values that other code counts. prom-client's `observe` hashes the labels of every value, and no
 * request should pay for that.
 */
export class PlainHistogram extends Histogram {
  constructor(
    private readonly description: Description,
    private readonly series: () => Iterable<Series>,
  ) {
    super({ ...description, labelNames: [...description.labelNames], registers: [] });
  }

  /** The registry calls this method to make the text, although its types do not mention it. */
  getForPromString(): object {
    const { name, help } = this.description;
    const values = [...this.series()].flatMap((one) => this.lines(one));
    return { name, help, type: 'histogram', values, aggregator: 'sum' };
  }

  /** The registry calls this method to make JSON. */
  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.getForPromString() as MetricObjectWithValues<MetricValueWithName<string>>;
  }

  private lines({ labels, values }: Series): Line[] {
    const { name } = this.description;
    let count = 0;
    const buckets = values.counts.map((seen, at): Line => {
      count += seen;
      const labelsOfBucket = { ...labels, le: values.bounds[at] ?? '+Inf' };
      return { metricName: `${name}_bucket`, labels: labelsOfBucket, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: values.sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}

interface Line {
  readonly metricName: string;
  readonly labels: Record<string, string | number>;
  readonly value: number;
}
