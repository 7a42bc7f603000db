import { StartRefusal } from '../config/start-refusal.js';

/** The start cannot go on, and waiting does not help. */
export class DatabaseRefusal extends StartRefusal {}
