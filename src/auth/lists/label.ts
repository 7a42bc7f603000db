/** What people call a thing: 1 to 100 characters, none of them invisible on its own or able to turn the text around. */
const LABEL = /^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]{1,100}$/u;

export function isLabel(text: string): boolean {
  return LABEL.test(text) && text.trim() !== '';
}
