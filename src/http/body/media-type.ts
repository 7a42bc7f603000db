/** The two types of body that are read at all. */
export type MediaType = 'application/json' | 'application/x-www-form-urlencoded';

// RFC 9110 §5.6.6: empty parameters are allowed, a value is a token or a quoted string.
const PARAMETER = /[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*"))?/y;

/** How a body may be read: as UTF-8, or only if it has nothing but ASCII in it, which is the same in both. */
export type Charset = 'utf-8' | 'ascii';

const UTF_8 = /^"?utf-8"?$/i;
/** Of a form all octets are ASCII, so what older clients say of it changes nothing, unless it means those behind a `%`. */
const LIKE_ASCII = /^"?(?:us-ascii|iso-8859-1)"?$/i;

/**
 * How to read a body whose `Content-Type` says exactly this type; undefined for another type or charset. Parameters other
 * than `charset` mean nothing here.
 */
export function charsetOf(header: string, expected: MediaType): Charset | undefined {
  if (header === expected) return 'utf-8';
  if (header.slice(0, expected.length).toLowerCase() !== expected) return undefined;
  const said = charsetsIn(header.slice(expected.length).trimEnd());
  if (said === undefined || said.length > 1) return undefined;
  const [charset = 'utf-8'] = said;
  if (UTF_8.test(charset)) return 'utf-8';
  // JSON is UTF-8 (RFC 8259 §8.1)
  return expected !== 'application/json' && LIKE_ASCII.test(charset) ? 'ascii' : undefined;
}

function charsetsIn(parameters: string): string[] | undefined {
  const found: string[] = [];
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < parameters.length) {
    const match = PARAMETER.exec(parameters);
    if (match === null) return undefined;
    if (match[1]?.toLowerCase() === 'charset') found.push(match[2] ?? '');
  }
  return found;
}
