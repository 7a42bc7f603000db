import { Schema1760000000000 } from './1760000000000-schema.js';

/** The migrations in the order in which they run. A new one goes to the end and never changes once released. */
export const migrations = [Schema1760000000000];
