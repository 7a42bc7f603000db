import { isGrantable, parseScope } from '../scope.js';
import { isUuid } from '../uuid.js';
import { importedHash, type ForeignFlaw } from './imported-hash.js';
import { userName } from './user-name.js';

/** One person, as another system knew them. */
export interface ImportedUser {
  readonly id: string | null;
  readonly name: string;
  readonly folded: string;
  /** Null for a user who gets a password by a link. */
  readonly hash: string | null;
  readonly cost: number;
  readonly scope: string;
  readonly disabled: boolean;
}

export type LineFlaw =
  | ForeignFlaw
  | 'not_utf8'
  | 'too_long'
  | 'not_json'
  | 'not_object'
  | 'unknown_member'
  | 'api_keys'
  | 'pepper'
  | 'no_name'
  | 'bad_name'
  | 'no_hash'
  | 'bad_scope'
  | 'bad_disabled'
  | 'bad_id'
  | 'repeated_name'
  | 'repeated_id'
  | 'id_taken';

const MEMBERS = ['name', 'password_hash', 'scope', 'disabled', 'id'];

/** @returns what is wrong with the line, without quoting it */
export function importedUser(text: string): ImportedUser | LineFlaw {
  const line = objectIn(text);
  if (typeof line === 'string') return line;
  const { name, password_hash: foreign, scope = '', disabled = false, id = null } = line;
  if (typeof name !== 'string') return 'no_name';
  const parsed = userName(name);
  if (!parsed) return 'bad_name';
  if (foreign !== null && typeof foreign !== 'string') return 'no_hash';
  const hash = foreign === null ? { hash: null, cost: 0 } : importedHash(foreign);
  if (typeof hash === 'string') return hash;
  const scopes = typeof scope === 'string' ? parseScope(scope) : undefined;
  if (!scopes?.every(isGrantable)) return 'bad_scope';
  if (typeof disabled !== 'boolean') return 'bad_disabled';
  if (id !== null && !(typeof id === 'string' && isUuid(id))) return 'bad_id';
  return { ...parsed, ...hash, id: id?.toLowerCase() ?? null, scope: scopes.join(' '), disabled };
}

function objectIn(text: string): Record<string, unknown> | LineFlaw {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not_json';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not_object';
  const members = Object.keys(value);
  if (members.includes('api_keys')) return 'api_keys';
  if (members.includes('pepper')) return 'pepper';
  return members.every((one) => MEMBERS.includes(one))
    ? (value as Record<string, unknown>)
    : 'unknown_member';
}
