import { setFlagsFromString } from 'node:v8';

/**
 * How V8 collects what requests leave behind: of one that is answered nothing is needed any more.
 *
 * Under load some are always being answered when it looks, so what the rows of the database are read into seems to live
 * long. V8 would then allocate it among the old at once, where it stays, and all that it holds with it, until the whole heap is
 * marked: so it must not guess. And little of what does get there is needed longer, so the heap may grow by half between two
 * markings, not to four times its size.
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--heap-growing-percent=50');
}
