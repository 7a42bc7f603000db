/**
 * A hash that another system made: bcrypt of the password itself, without our key. It is kept as it is until its user logs in,
 * and is then replaced by one of ours.
 */
export interface ImportedHash {
  readonly hash: string;
  readonly cost: number;
}

export type ForeignFlaw =
  | 'django_bcrypt_sha256'
  | 'pbkdf2'
  | 'argon2'
  | 'scrypt'
  | 'bcrypt_2x'
  | 'not_bcrypt'
  | 'cost_too_low'
  | 'cost_too_high';

const TAG = 'keks0$';
/** The last character of a hash carries 4 bits. If it carries more, bcrypt did not make it. */
const BCRYPT = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{21})([./A-Za-z0-9])([./A-Za-z0-9]{30}[.CGKOSWaeimquy26])$/;
const ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const STORED = /^keks0\$(\$2b\$(\d\d)\$.{53})$/;
const COST_LEAST = 4;
/** Each login attempt costs this much, also under an unknown name: 2^14 is about a second. */
const COST_MOST = 14;

const OTHERS: readonly (readonly [RegExp, ForeignFlaw])[] = [
  [/^bcrypt_sha256\$/, 'django_bcrypt_sha256'],
  [/^(?:\$pbkdf2|pbkdf2)/i, 'pbkdf2'],
  [/^(?:\$|argon2\$)argon2/i, 'argon2'],
  [/^(?:\$scrypt|scrypt|\$7\$)/i, 'scrypt'],
  [/^\$2x\$/, 'bcrypt_2x'],
];

/** `$2a$`, `$2b$` and `$2y$` mean the same; Django writes `bcrypt$` in front. */
export function importedHash(foreign: string): ImportedHash | ForeignFlaw {
  const other = OTHERS.find(([form]) => form.test(foreign));
  if (other) return other[1];
  const [, digits, salt, end = '', rest] = BCRYPT.exec(foreign.replace(/^bcrypt\$(?=\$)/, '')) ?? [];
  if (digits === undefined) return 'not_bcrypt';
  // the last character of a salt carries 2 bits: some programs leave noise in the other bits, and all ignore it when they
  // compare
  const cleared = ALPHABET[ALPHABET.indexOf(end) & 0x30];
  const cost = Number(digits);
  if (cost < COST_LEAST) return 'cost_too_low';
  if (cost > COST_MOST) return 'cost_too_high';
  return { hash: `${TAG}$2b$${digits}$${salt}${cleared}${rest}`, cost };
}

/** In the form that bcrypt takes; undefined if it was not imported. */
export function readImported(stored: string): { bcrypted: string; cost: number } | undefined {
  const [, bcrypted, digits] = STORED.exec(stored) ?? [];
  return bcrypted === undefined ? undefined : { bcrypted, cost: Number(digits) };
}
