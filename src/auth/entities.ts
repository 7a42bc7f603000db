import { User } from './users/user.entity.js';

/** Every table that TypeORM knows. A test holds them against the migrations. */
export const entities = [User];
