const LENGTH = 58;
const PREFIX = /^k(?:at|rt|ak|cs)_/;

/** The likeliest mistake of somebody who pasted it. Never repeats any of it. */
export function spellingMistake(text: string): string {
  if (/^\s|\s$/.test(text)) return 'there is white space around it.';
  if (/^bearer\s/i.test(text)) return 'it has the word Bearer in front: give the token alone.';
  if (/^authorization:/i.test(text)) return 'it is a whole header line: give the token alone.';
  if (/^(["']).*\1$/s.test(text)) return 'it is in quotation marks.';
  if (text.trimStart().startsWith('{')) return 'it is a JSON document: give the token alone.';
  if (/\s/.test(text)) return 'there is white space in it.';
  if (!PREFIX.test(text)) return 'it does not begin with kat_, krt_, kak_ or kcs_.';
  if (text.length !== LENGTH)
    return `it has ${text.length} characters instead of ${LENGTH}: was it cut, or is something stuck to it?`;
  return 'it has characters that no token has.';
}
