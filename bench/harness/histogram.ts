/** Latencies in microseconds, in buckets 1/32 apart: no memory grows while it counts, and no value is off by more than 3%. */
const STEPS = 32;
const OCTAVES = 26;

export class Histogram {
  private readonly buckets = new Uint32Array(STEPS * OCTAVES);
  private longest = 0;
  count = 0;

  add(microseconds: number): void {
    this.buckets[bucketOf(microseconds)]! += 1;
    this.count += 1;
    if (microseconds > this.longest) this.longest = microseconds;
  }

  /** Milliseconds. @param share between 0 and 1 */
  percentile(share: number): number {
    let left = Math.ceil(this.count * share);
    for (let at = 0; at < this.buckets.length; at += 1) {
      left -= this.buckets[at]!;
      if (left <= 0) return Math.min(upperEnd(at), this.longest) / 1_000;
    }
    return this.max;
  }

  get max(): number {
    return this.longest / 1_000;
  }
}

function bucketOf(microseconds: number): number {
  const value = Math.max(0, Math.floor(microseconds));
  if (value < STEPS) return value;
  const octave = 31 - Math.clz32(value) - 5;
  return Math.min(STEPS * (octave + 1) + ((value >>> octave) - STEPS), STEPS * OCTAVES - 1);
}

function upperEnd(bucket: number): number {
  if (bucket < STEPS) return bucket + 1;
  const octave = Math.floor(bucket / STEPS) - 1;
  return ((bucket % STEPS) + STEPS + 1) * 2 ** octave;
}
