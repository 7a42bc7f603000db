/** Markup that is safe because Keks wrote it. */
export class Html {
  constructor(readonly text: string) {}
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

type Value = string | Html | readonly Html[] | undefined | false;

/** Escapes every text that is put in, also in an attribute: a name that somebody chose is never markup. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const texts = values.map((value) => {
    if (value === undefined || value === false) return '';
    if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
    return value instanceof Html ? value.text : value.map(({ text }) => text).join('');
  });
  return new Html(parts.map((part, at) => part + (texts[at] ?? '')).join(''));
}
