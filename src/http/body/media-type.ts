/** The two types of body that are read at all. */
export type MediaType = 'application/json' | 'application/x-www-form-urlencoded';

// RFC 9110 §5.6.6: empty parameters are allowed, a value is a token or a quoted string.
const PARAMETER = /[ \t]*;[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=([!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*"))?/y;

/** Whether a `Content-Type` says exactly this type in UTF-8. Parameters other than `charset` mean nothing here. */
export function isMediaType(header: string, expected: MediaType): boolean {
  if (header === expected) return true;
  if (header.slice(0, expected.length).toLowerCase() !== expected) return false;
  return isUtf8Only(header.slice(expected.length).trimEnd());
}

function isUtf8Only(parameters: string): boolean {
  let charsets = 0;
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < parameters.length) {
    const match = PARAMETER.exec(parameters);
    if (match === null) return false;
    if (match[1]?.toLowerCase() !== 'charset') continue;
    charsets += 1;
    if (charsets > 1 || !/^"?utf-8"?$/i.test(match[2] ?? '')) return false;
  }
  return true;
}
