/** Where TypeORM writes down which migrations have run. */
export const MIGRATIONS_TABLE = 'migrations';
