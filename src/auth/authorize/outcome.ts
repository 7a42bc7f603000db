import type { ClientRecord } from '../clients/client-record.js';
import type { ReturnAddress } from './authorization-request.js';
import type { Page } from './pages.js';
import type { TroubleName } from './troubles.js';

/** The answer to the client: a code, or the reason why there is none. */
export interface ClientAnswer {
  readonly address: ReturnAddress;
  readonly parameters: readonly (readonly [string, string])[];
}

/** The result of a request to these pages. */
export type Outcome =
  | { readonly page: Page; readonly cookies?: readonly string[] }
  | { readonly trouble: TroubleName; readonly again?: string }
  | { readonly answer: ClientAnswer; readonly cookies?: readonly string[] }
  | { readonly leaving: ClientAnswer; readonly client: ClientRecord; readonly cookies?: readonly string[] }
  | { readonly onwards: string; readonly cookies?: readonly string[] };
