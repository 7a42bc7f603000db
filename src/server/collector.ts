import { setFlagsFromString } from 'node:v8';

/**
 * Sets V8's garbage collector. After an answer, no object of its request is needed any more.
 *
 * Under load some requests are always in flight when V8 looks. So the objects for database rows seem to be long-lived,
 * and V8 would allocate such objects in the old generation at once. There they and all that they refer to stay until V8
 * marks the whole heap. So allocation site pretenuring is off. Few objects in the old generation are needed for longer.
 * So the heap may grow by half between two markings, not to four times its size.
 */
export function tuneCollector(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--heap-growing-percent=50');
}
