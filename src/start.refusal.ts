import { EmbeddedRefusal } from './database/embedded/embedded.refusal.js';

/** A start that cannot succeed as things are. The message is one line that names the mend. */
export class StartRefusal extends Error {}

/** For people: a refusal speaks for itself, of anything else the stack is wanted. */
export function explained(error: unknown): string {
  if (error instanceof StartRefusal || error instanceof EmbeddedRefusal) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
