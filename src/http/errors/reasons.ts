import { PROOF_FLAWS } from 'keks-guard/internals';

/**
 * The closed list of sentences that say more than a code. `$` is replaced by a name from our own schemas, never by text
 * of a caller. Sentences have only the characters that an OAuth answer may have (RFC 6749 §5.2).
 */
export const REASONS = {
  missing: ['invalid_request', 'The parameter $ is missing.'],
  misspelled: [
    'invalid_request',
    'The parameter $ is missing: something like it was sent, but the member is called $.',
  ],
  repeated: ['invalid_request', 'The parameter $ was sent more than once.'],
  wrong_form: [
    'invalid_request',
    'The parameter $ is of the wrong form: see what the documentation says of it.',
  ],
  empty: ['invalid_request', 'The parameter $ is empty.'],
  not_text: ['invalid_request', 'The parameter $ must be a string.'],
  not_boolean: ['invalid_request', 'The parameter $ must be true or false, without quotes.'],
  not_integer: ['invalid_request', 'The parameter $ must be a whole number, without quotes.'],
  not_list: ['invalid_request', 'The parameter $ must be an array.'],
  not_listed: ['invalid_request', 'The parameter $ is none of the values that the documentation lists.'],
  out_of_range: ['invalid_request', 'The parameter $ is smaller or larger than this address takes.'],
  not_uuid: ['invalid_request', 'The parameter $ must be an id as this server writes them: a UUID.'],
  not_time: ['invalid_request', 'The parameter $ must be a time with its zone, as in 2026-01-31T12:00:00Z.'],
  bad_limit: ['invalid_request', 'The parameter $ must be a whole number from 1 to 100.'],
  bad_cursor: ['invalid_request', 'The parameter $ was not made for this list: begin again without it.'],
  unwanted: ['invalid_request', 'The parameter $ cannot be sent together with the others.'],
  bad_password: ['invalid_request', 'The parameter $ has 1 to 1,024 bytes.'],
  bad_label: [
    'invalid_request',
    'The parameter $ has 1 to 100 characters, and no line breaks or invisible ones.',
  ],
  bad_user_name: [
    'invalid_request',
    'The parameter $ has 1 to 128 characters, no control characters, joiners only where a script wants them, and no space at either end.',
  ],
  bad_client_name: [
    'invalid_request',
    'The parameter $ has 1 to 100 characters, no control characters, and no space at either end.',
  ],
  reserved_name: ['name_taken', 'The name is reserved for this server itself: choose another one.'],
  bad_audience: [
    'invalid_request',
    'The parameter $ must be 20 absolute URIs at most, without fragments, as in https://oven.example.',
  ],
  bad_resources: [
    'invalid_request',
    'The parameter $ must be 20 absolute URIs at most, without fragments, each once; after one, each after a space, the scopes that tokens for it may carry.',
  ],
  bad_redirect_uris: [
    'invalid_request',
    'The parameter $ must be 20 different addresses at most: https, http on 127.0.0.1, [::1] or localhost, or a scheme with a dot in it, as in com.example.app:/done. Without fragment, user or wildcard.',
  ],
  bad_jwks: [
    'invalid_request',
    'The parameter $ goes with private_key_jwt: keys with 1 to 10 public keys, EC P-256, Ed25519 or RSA of 2048 to 4096 bits, without private members.',
  ],
  no_redirect_uris: [
    'invalid_request',
    'A client without a secret acts for people only: say in $ where answers to it may go, or give it the device_grant.',
  ],
  not_for_apps: [
    'invalid_scope',
    'A client that acts for people cannot have scopes of the authority itself: keks:* and keys:*.',
  ],
  bad_description: [
    'invalid_request',
    'The parameter $ has 1 to 200 characters, none of them invisible, and no space at either end.',
  ],
  bad_receiver_name: [
    'invalid_request',
    'The parameter $ has 1 to 40 lower-case letters, digits and hyphens, and no hyphen at either end.',
  ],
  bad_receiver_url: [
    'invalid_request',
    'The parameter $ must be an https address without user and fragment. Private addresses, and http there, need RECEIVERS_PRIVATE_ADDRESSES.',
  ],
  bad_receiver_audience: ['invalid_request', 'The parameter $ has 1 to 1,024 visible ASCII characters.'],
  bad_events: ['invalid_request', 'The parameter $ lists events that there are, each once.'],
  bad_authorization: [
    'invalid_request',
    'The parameter $ is what a header can carry: one line of printable ASCII, 2,048 characters at most.',
  ],
  too_many_receivers: ['invalid_request', 'There are as many receivers as there may be: remove one first.'],
  device_denied: ['access_denied', 'The person has said no.'],
  no_device_grant: [
    'unauthorized_client',
    'The client may not ask people to type codes: an administrator can give it the device grant.',
  ],
  too_many_codes: [
    'too_many_requests',
    'Too many codes of this client are waiting for somebody: ask again when some of them are over.',
  ],
  no_redirect_address: [
    'unauthorized_client',
    'The client has no redirect address, so nobody can be sent back to it.',
  ],
  unknown_redirect_uri: ['invalid_request', 'The parameter $ is none that is registered for this client.'],
  too_many_pushed: [
    'too_many_requests',
    'Too many pushed requests of this client are waiting for somebody: push again in a minute.',
  ],
  bad_verifier: [
    'invalid_request',
    'The parameter $ has 43 to 128 characters: letters, digits, and - . _ ~ (RFC 7636).',
  ],
  no_secret_wanted: ['invalid_request', 'The client is a public one: it has no secret, and cannot have one.'],
  acts_for_people: [
    'unauthorized_client',
    'The client has redirect addresses or the device grant, so it acts for people and gets nothing for itself: register another one for that.',
  ],
  bad_metadata: [
    'invalid_client_metadata',
    'The parameter $ is not what the documentation says of it: no client can be registered like this.',
  ],
  bad_redirects: [
    'invalid_redirect_uri',
    'The parameter $ must be 1 to 20 different addresses: https, http on 127.0.0.1, [::1] or localhost, or a scheme with a dot in it, as in com.example.app:/done. Without fragment, user or wildcard.',
  ],
  no_such_scope: [
    'invalid_client_metadata',
    'The client asks for no scope that a client which registers itself may have: leave $ out to get all of those.',
  ],
  another_client: ['invalid_client_metadata', 'The parameter $ is not the client of this address.'],
  another_secret: [
    'invalid_client_metadata',
    'The parameter $ is not the secret of this client: leave it out.',
  ],
  another_method: [
    'invalid_client_metadata',
    'A client cannot get or lose a secret, or a key: register another one, and delete this one.',
  ],
  not_yours_to_say: [
    'invalid_client_metadata',
    'The parameter $ is said by the authority, and never by a client: leave it out.',
  ],
  too_many_clients: [
    'too_many_requests',
    'As many clients have registered themselves as there may be: those that nobody uses go after a while.',
  ],
  no_token_exchange: [
    'unauthorized_client',
    'The client may not exchange tokens: an administrator can let it.',
  ],
  bad_subject_token: [
    'invalid_request',
    'The parameter $ is no living access token that was issued to this client, or that is for it as an API; or it is not of the type that is said.',
  ],
  bad_actor_token: [
    'invalid_request',
    'The parameter $ is no living access token of the client itself: leave it out, the client acts anyway.',
  ],
  bound_token: [
    'invalid_request',
    'The token in $ is bound to a key: send a proof by that key in the header DPoP (RFC 9449).',
  ],
  too_many_actors: [
    'invalid_request',
    'The token in $ has been exchanged as often as a token can be: too many act for one another.',
  ],
  two_targets: [
    'invalid_target',
    'A token is for one API: resource and audience are two. Leave one of them out.',
  ],
  exchange_not_for_apps: [
    'invalid_request',
    'A client that acts for people cannot have the token_exchange: they allow it one API at a time.',
  ],
  exchange_without_resources: [
    'invalid_request',
    'The client may ask tokens for any API: say in resources for which, before it may exchange tokens.',
  ],
  nothing_to_change: ['invalid_request', 'There is nothing to change: send at least one member.'],
  token_or_id: ['invalid_request', 'Send either token or id, and not both.'],
  two_secrets: ['invalid_request', 'The client has two secrets already: delete one first.'],
  own_password: ['invalid_request', 'This is your own password: change it at PUT /password.'],
  user_disabled: ['invalid_request', 'The user is disabled: enable the user first.'],
  too_short: [
    'weak_password',
    'The password is too short: it has 15 characters at least, unless the operator has decided otherwise.',
  ],
  too_common: [
    'weak_password',
    'The password is among the first that an attacker would try: choose another one, of several unrelated words.',
  ],
  no_body: ['invalid_request', 'The body is missing: see what the documentation says of it.'],
  not_utf8: ['invalid_request', 'The body is not well-formed UTF-8.'],
  not_json: ['invalid_request', 'The body is not well-formed JSON.'],
  not_object: ['invalid_request', 'The body must be one JSON object.'],
  too_deep: ['invalid_request', 'The JSON is nested more than 32 levels deep.'],
  too_many: ['invalid_request', 'The body has more values than this server reads.'],
  ill_formed: ['invalid_request', 'A text in the body has a NUL or half a character in it.'],
  repeated_member: ['invalid_request', 'A member of the JSON object was sent more than once.'],
  forbidden_member: ['invalid_request', 'A member of the JSON object has a name that is never taken.'],
  not_form: [
    'invalid_request',
    'The body is not a well-formed form: a percent sign is followed by two digits.',
  ],
  repeated_parameter: ['invalid_request', 'A parameter of the form was sent more than once.'],
  secret_in_url: [
    'invalid_request',
    'A secret was sent in the URL, where logs keep it: send it in the body.',
  ],
  not_an_api: [
    'unauthorized_client',
    'Only a client that is an API, which has an audience, is told what was taken back.',
  ],
  two_authentications: [
    'invalid_request',
    'The client authenticates in two ways at once: leave out $, or the other one.',
  ],
  too_many_in_a_row: [
    'too_many_requests',
    'Too many failed attempts in a row: log in from where this user has logged in before, or ask whoever runs this server to let the user in again.',
  ],
  bound_elsewhere: [
    'invalid_grant',
    'The code or refresh token is bound to a key: send a proof by that key in the header DPoP (RFC 9449).',
  ],
  two_keys: [
    'invalid_request',
    'The dpop_jkt is not the thumbprint of the key that the proof is by: leave it out (RFC 9449, section 10.1).',
  ],
  always_bound: [
    'invalid_dpop_proof',
    'This client gets only tokens that are bound to a key: send a proof in the header DPoP (RFC 9449).',
  ],
  ...PROOF_FLAWS,
  two_clients: ['invalid_request', 'The client_id is not that of the Authorization header: leave it out.'],
} as const satisfies Record<string, readonly [code: string, sentence: string]>;

export type Reason = keyof typeof REASONS;

/** @param parameter a name from a schema, never from a request */
export function sentenceOf(reason: Reason, parameter = ''): string {
  return REASONS[reason][1].replaceAll('$', () => parameter);
}

/** Checks the name of a reason at compile time, for a schema's own checks. */
export const reason = (name: Reason): Reason => name;

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
