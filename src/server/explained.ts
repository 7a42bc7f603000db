import { EmbeddedRefusal } from '../database/embedded/embedded-refusal.js';
import { StartRefusal } from '../config/start-refusal.js';

/** For people: a refusal speaks for itself, of anything else the stack is wanted. */
export function explained(error: unknown): string {
  if (error instanceof StartRefusal || error instanceof EmbeddedRefusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
