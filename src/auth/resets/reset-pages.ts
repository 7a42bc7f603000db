import { html, type Html } from '../authorize/html.js';
import { frame } from '../authorize/pages.js';
import type { PasswordFlaw } from '../users/password-policy.js';

export interface ResetPage {
  readonly status: number;
  readonly body: string;
}

/**
 * Allows Keks's own styles and pictures, and the script that takes the code out of the address. No frame; forms go to
 * Keks.
 */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
  "require-trusted-types-for 'script'; trusted-types 'none'";

const SCRIPT = 'password-reset.js';
const UP = '';

export type FormFlaw = PasswordFlaw | 'dead' | 'incomplete' | 'different';

interface FormState {
  readonly shortest: number;
  readonly flaw?: FormFlaw;
  /** Sent again with another password. */
  readonly code?: string;
}

/** The page for the holder of a link. */
export function formPage({ shortest, flaw, code }: FormState): ResetPage {
  const content = html`<h1>Choose a new password</h1>
    ${
      flaw !== undefined &&
      html`<div class="notice bad" role="alert">
        <p><strong>Your password was not changed.</strong></p>
        <p>${sentenceOf(flaw, shortest)}</p>
      </div>`
    }
    <form method="post" action="password-reset">
      ${code === undefined ? codeField() : html`<input type="hidden" name="code" value="${code}" />`}
      ${passwordField('password', 'New password')} ${passwordField('again', 'New password, once more')}
      <p class="soft">
        At least ${String(shortest)} characters. Blanks, accents and whole sentences are fine.
      </p>
      <div class="choices"><button type="submit">Set the password</button></div>
    </form>
    <p class="soft">
      Whoever gave you the link does not learn this password. All that is signed in with the old one ends, and
      so do your API keys and what you allowed other programs.
    </p>`;
  return {
    status: flaw === undefined ? 200 : flaw === 'dead' ? 403 : 400,
    body: frame('Choose a new password', content, UP, SCRIPT),
  };
}

function codeField(): Html {
  return html`<div id="code-row">
    <label for="code">The link that you were given</label>
    <input
      id="code"
      name="code"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      maxlength="2000"
      aria-describedby="code-hint"
      required
    />
    <p class="soft" id="code-hint">
      Paste all of it, as you were given it. It can be used once, and not for long.
    </p>
  </div>`;
}

function passwordField(name: string, label: string): Html {
  return html`<label for="${name}">${label}</label>
    <input id="${name}" name="${name}" type="password" autocomplete="new-password" required />`;
}

export function donePage(user: string): ResetPage {
  const content = html`<h1>Your password is changed</h1>
    <p>
      <strong>${user}</strong> has the new password from now on. Sign in with it where you were signed in
      before, and make the API keys that you need again. The link is used up.
    </p>
    <p><a href="console">Sign in to the console</a></p>`;
  return { status: 200, body: frame('Your password is changed', content, UP) };
}

/** @param status 429 or 503 */
export function troublePage(status: number): ResetPage {
  const [title, text] =
    status === 429
      ? [
          'Too many failed attempts',
          'Keks takes no link from here for a while, also no good one. Wait a few minutes, then open your link again.',
        ]
      : [
          'Keks cannot answer right now',
          'Usually its database is away for a moment. Wait a little, then open your link again. If it can no longer be used, your password has been changed.',
        ];
  return {
    status,
    body: frame(
      title,
      html`<h1>${title}</h1>
        <p>${text}</p>`,
      UP,
    ),
  };
}

function sentenceOf(flaw: FormFlaw, shortest: number): string {
  switch (flaw) {
    case 'dead':
      return 'This link can no longer be used: it was used already, it is too old, or the account has changed since. Copy it once more, as a whole; if that does not help, ask your administrator for a new one.';
    case 'incomplete':
      return 'Something of the form is missing.';
    case 'different':
      return 'The password and its repetition are not the same.';
    case 'too_short':
      return `It is too short: it must have ${String(shortest)} characters at least.`;
    case 'too_common':
      return 'It is among the first that an attacker would try: choose another one, of several unrelated words.';
    case 'too_long':
      return 'It is too long: 1,024 bytes are the most.';
    case 'ill_formed':
      return 'There is a character in it that cannot be kept.';
  }
}
