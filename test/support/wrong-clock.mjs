// Sets the wall clock of a process wrong, by the milliseconds in the query of this file's address: `--import wrong-clock.mjs?3600000`.
// Timers and performance.now() go on as they were: that is what a wrong clock is like.
const off = Number(new URL(import.meta.url).search.slice(1));
if (!Number.isFinite(off)) throw new Error('by how much?');
const { Date: RightDate } = globalThis;

globalThis.Date = class Date extends RightDate {
  constructor(...args) {
    if (args.length === 0) super(RightDate.now() + off);
    else super(...args);
  }

  static now() {
    return RightDate.now() + off;
  }
};
