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
  redirect_uris_invalid: [
    'invalid_request',
    'redirect-uri',
    'A redirect address is https, http on 127.0.0.1, [::1] or localhost, or has a scheme with a dot in it, such as com.example.app:/done; without fragment, user or wildcard.',
  ],
  jwks_invalid: [
    'invalid_request',
    'jwks',
    'The file has a JWK set with 1 to 10 public keys, EC P-256, Ed25519 or RSA of 2048 to 4096 bits, and no private key; and the client is not --public.',
  ],
  redirect_uris_missing: [
    'invalid_request',
    'redirect-uri',
    'A client without a secret acts for people only: say where answers to it may go, with --redirect-uri, or that people type a code, with --device.',
  ],
  scope_not_for_apps: [
    'invalid_scope',
    'scope',
    'A client that acts for people cannot have scopes of the authority itself: keks:* and keys:*.',
  ],
  exchange_not_for_apps: [
    'invalid_request',
    'exchange',
    'A client that acts for people cannot exchange tokens: they allow it one API at a time.',
  ],
  exchange_without_resources: [
    'invalid_request',
    'exchange',
    'The client may ask tokens for any API: say for which, with "keks client set-resources", before it may exchange tokens.',
  ],
};

export function clientRefusal(flaw: ClientFlaw): Refusal {
  const [code, parameter, description] = REFUSALS[flaw];
  return new Refusal(code, description, { parameter });
}
