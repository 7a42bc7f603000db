import type { ClientRecord } from '../clients/client-record.js';
import { html, type Html } from './html.js';

/** Texts about the client that asks, for the person who is asked. */

/** Tells since when Keks knows the client. Keks knows no more than this of a client that registered itself. */
export function knownSince({ clientId, selfRegistered, createdAt }: ClientRecord): string {
  const day = createdAt.toISOString().slice(0, 10);
  if (clientId.startsWith('https:'))
    return `as ${new URL(clientId).host} describes it, first seen here on ${day}, not verified`;
  return selfRegistered ? `first seen here on ${day}, not verified` : `registered on ${day}`;
}

/** @param condition what must also be true, after "if you have just started it" */
export function notChecked({ selfRegistered }: ClientRecord, condition: string): Html | false {
  return (
    selfRegistered &&
    html`<p class="notice">
      <strong>Nobody here has checked who this is.</strong> The program chose its name itself. Allow it only
      if you have just started it, ${condition}.
    </p>`
  );
}
