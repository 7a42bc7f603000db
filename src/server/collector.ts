import { setFlagsFromString } from 'node:v8';

/**
 * Settings of V8's garbage collector. Nothing of an answered request is needed any more.
 *
 * But under load some requests are always in flight when V8 looks, so the objects that database rows are read into seem to live
 * long. V8 would then allocate such objects in the old generation at once, where they and all that they refer to stay until the
 * whole heap is marked. So it must not do that. And little of what is in the old generation is needed longer, so the heap may
 * grow by half between two markings, not to four times its size.
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--heap-growing-percent=50');
}
