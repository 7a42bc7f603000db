import { EmbeddedRefusal } from '../database/embedded/embedded-refusal.js';
import { StartRefusal } from '../config/start-refusal.js';

/** An error as text for people: only the message of a refusal, and the stack of any other error. */
export function explained(error: unknown): string {
  if (error instanceof StartRefusal || error instanceof EmbeddedRefusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
