/** How often values of which size were seen, in plain numbers: noting one costs no more than finding its bucket. */
export class Distribution {
  /** One for each bound, and one for what is beyond the last. Not cumulative. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds upper ones, inclusive, ascending */
  constructor(readonly bounds: readonly number[]) {
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  note(value: number): void {
    let at = 0;
    while (value > (this.bounds[at] ?? Infinity)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }
}
