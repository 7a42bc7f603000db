import { createRequire } from 'node:module';

/** The version of the package, from the nearest package.json above the compiled file. */
export const VERSION: string = createRequire(import.meta.url)('../../package.json').version;
