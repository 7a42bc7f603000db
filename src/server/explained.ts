import { EmbeddedRefusal } from '../database/embedded/embedded-refusal.js';
import { StartRefusal } from '../config/start-refusal.js';

/** An error as text for people: a refusal is only its message, anything else has its stack. */
export function explained(error: unknown): string {
  if (error instanceof StartRefusal || error instanceof EmbeddedRefusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
