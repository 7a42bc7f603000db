import type { ClientRecord } from '../clients/client-record.js';
import type { ReturnAddress } from './authorization-request.js';
import type { Page } from './pages.js';
import type { TroubleName } from './troubles.js';

/** Back to the client: a code, or why there is none. */
export interface ClientAnswer {
  readonly address: ReturnAddress;
  readonly parameters: readonly (readonly [string, string])[];
}

/** What a request to these pages comes to. */
export type Outcome =
  | { readonly page: Page; readonly cookies?: readonly string[] }
  | { readonly trouble: TroubleName; readonly again?: string }
  | { readonly answer: ClientAnswer; readonly cookies?: readonly string[] }
  | { readonly leaving: ClientAnswer; readonly client: ClientRecord; readonly cookies?: readonly string[] }
  | { readonly onwards: string; readonly cookies?: readonly string[] };
