/** A label that people give: 1 to 100 characters, without control, line-separator and bidirectional characters. */
const LABEL = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,100}$/u;

export function isLabel(text: string): boolean {
  return LABEL.test(text) && text.trim() !== '';
}
