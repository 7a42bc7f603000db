import { createRequire } from 'node:module';

/** The version of the package, which finds itself by its name: from the sources and from what was compiled alike. */
export const VERSION: string = createRequire(import.meta.url)('keks/package.json').version;
