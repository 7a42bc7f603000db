/** What Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats, strictly. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (NaN|[+-]Inf|[+-]?[0-9][0-9.e+-]*)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/** @throws Error naming the first line that is not in order */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: string[] | undefined;
  let current: Family | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    const [, name = '', rest = ''] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line) ?? [];
    if (name) {
      help = [name, rest];
      continue;
    }
    const [, typed = '', type = ''] = new RegExp(`^# TYPE (${NAME}) (\\w+)$`).exec(line) ?? [];
    if (typed) {
      if (help?.[0] !== typed || !TYPES.includes(type) || families.has(typed)) throw new Error(line);
      current = { name: typed, type, help: help[1] ?? '', samples: [] };
      families.set(typed, current);
      continue;
    }
    const sample = parseSample(line);
    if (!current || !belongs(sample.name, current)) throw new Error(line);
    const series = keyOf(sample);
    if (seen.has(series)) throw new Error(`twice: ${series}`);
    seen.add(series);
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === 'histogram') checkHistogram(family);
  return families;
}

export function keyOf({ name, labels }: Sample): string {
  return `${name}${JSON.stringify(Object.entries(labels).sort())}`;
}

function parseSample(line: string): Sample {
  const [, name, inside, value] = SAMPLE.exec(line) ?? [];
  if (!name || value === undefined) throw new Error(line);
  const labels: Record<string, string> = {};
  const length = inside?.length ?? 0;
  for (LABEL.lastIndex = 0; LABEL.lastIndex < length;) {
    const [, label, text] = LABEL.exec(inside ?? '') ?? [];
    if (!label || text === undefined || label in labels) throw new Error(line);
    labels[label] = text.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function belongs(name: string, { name: family, type }: Family): boolean {
  if (name === family) return type !== 'histogram';
  const ends = { histogram: ['_bucket', '_sum', '_count'], summary: ['_sum', '_count'] }[type] ?? [];
  return ends.some((end) => name === family + end);
}

/** Buckets grow with their bound, and the last is all. */
function checkHistogram({ name, samples }: Family): void {
  const counts = new Map<string, number>();
  const last = new Map<string, [bound: number, count: number]>();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    const key = keyOf({ name, labels, value: 0 });
    if (sample.name === `${name}_count`) counts.set(key, sample.value);
    if (sample.name !== `${name}_bucket`) continue;
    const bound = Number(le?.replace('Inf', 'Infinity'));
    const [boundBefore, countBefore] = last.get(key) ?? [-Infinity, 0];
    if (!(bound > boundBefore) || sample.value < countBefore) throw new Error(`${key} ${le}`);
    last.set(key, [bound, sample.value]);
  }
  for (const [key, [bound, count]] of last)
    if (bound !== Infinity || counts.get(key) !== count) throw new Error(key);
  if (counts.size !== last.size) throw new Error(name);
}
