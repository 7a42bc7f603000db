import type { ClientFlaw } from '../../auth/clients/client-flaw.js';
import type { WireErrorCode } from '../../http/errors/wire-error.js';
import { Refusal } from '../refusal.js';

const REFUSALS: Record<ClientFlaw, readonly [code: WireErrorCode, parameter: string, description: string]> = {
  name_invalid: [
    'invalid_request',
    'name',
    'A name has 1 to 100 characters, no control characters, and no space at either end.',
  ],
  name_reserved: ['name_taken', 'name', 'The name keks belongs to the authority itself: choose another one.'],
  scope_invalid: [
    'invalid_scope',
    'scope',
    'A client cannot have keks:account or offline_access: the first is for people, the second for their logins.',
  ],
  audience_invalid: [
    'invalid_request',
    'audience',
    'An audience is an absolute URI without a fragment, such as https://api.example.com.',
  ],
  resources_invalid: [
    'invalid_request',
    'resource',
    'A resource is an absolute URI without a fragment, given once; after it, each after a space, may come the scopes that tokens for it may carry: "https://api.example.com tea:pour".',
  ],
};

export function clientRefusal(flaw: ClientFlaw): Refusal {
  const [code, parameter, description] = REFUSALS[flaw];
  return new Refusal(code, description, { parameter });
}
