import type { LineFlaw } from '../../auth/users/import-line.js';

/** Why a line is refused, and what to do. It never quotes the line, because that holds a hash. */
export const WHY: Readonly<Record<LineFlaw, string>> = {
  not_utf8: 'It is not well-formed UTF-8.',
  too_long: 'It is longer than 65,536 bytes.',
  not_json: 'It is not well-formed JSON: each line is a document of its own.',
  not_object: 'It is not a JSON object.',
  unknown_member: 'It has a member other than name, password_hash, scope, disabled and id.',
  api_keys:
    'API keys of another system cannot be imported: Keks recognises its own by their form before it looks for a digest. Have them made again.',
  pepper:
    'Passwords that were hashed together with a pepper (Devise) cannot be checked here: give password_hash as null, and the user a link by "keks user reset".',
  no_name: 'The member name is missing, or is no text.',
  bad_name:
    'The name has not 1 to 128 characters, or has control characters, stray joiners, or a space at an end.',
  no_hash: 'The member password_hash is missing: a bcrypt hash, or null for a user who is given a link.',
  bad_scope: 'The scope is malformed, or has keks:account or offline_access, which cannot be given.',
  bad_disabled: 'The member disabled is neither true nor false.',
  bad_id: 'The id is no UUID.',
  repeated_name: 'An earlier line has this name; upper and lower case are the same.',
  repeated_id: 'An earlier line has this id.',
  id_taken: 'Another user has this id.',
  django_bcrypt_sha256:
    'Django’s bcrypt_sha256 hashes a digest of the password: it cannot be checked here. Give password_hash as null, and the user a link by "keks user reset".',
  pbkdf2: 'It is a PBKDF2 hash, and only bcrypt can be checked here. Give null, and the user a link.',
  argon2: 'It is an Argon2 hash, and only bcrypt can be checked here. Give null, and the user a link.',
  scrypt: 'It is a scrypt hash, and only bcrypt can be checked here. Give null, and the user a link.',
  bcrypt_2x: 'The hash begins with $2x$, which a faulty bcrypt made. Give null, and the user a link.',
  not_bcrypt: 'The hash is not one of bcrypt: $2a$, $2b$ or $2y$, two digits, and 53 characters.',
  cost_too_low: 'The cost of the hash is below 4.',
  cost_too_high: 'The cost of the hash is above 14: each try of a login would take seconds.',
};
