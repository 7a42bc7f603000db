import type { ClientRecord } from '../clients/client-record.js';
import { html, type Html } from './html.js';

/** What a person who is asked is told of the client that asks. */

/** Of one that registered itself that is all that is known. */
export function knownSince({ clientId, selfRegistered, createdAt }: ClientRecord): string {
  const day = createdAt.toISOString().slice(0, 10);
  if (clientId.startsWith('https:'))
    return `as ${new URL(clientId).host} describes it, first seen here on ${day}, not verified`;
  return selfRegistered ? `first seen here on ${day}, not verified` : `registered on ${day}`;
}

/** @param condition besides that one has just started it */
export function notChecked({ selfRegistered }: ClientRecord, condition: string): Html | false {
  return (
    selfRegistered &&
    html`<p class="notice">
      <strong>Nobody here has checked who this is.</strong> The program chose its name itself. Allow it only
      if you have just started it, ${condition}.
    </p>`
  );
}
