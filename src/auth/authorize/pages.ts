import { createHash } from 'node:crypto';
import type { AuthorizationRequest, ReturnAddress } from './authorization-request.js';
import { html, type Html } from './html.js';

/** A page with its Content-Security-Policy. Browsers apply the policy's `form-action` to redirects, too. */
export interface Page {
  readonly status: number;
  readonly body: string;
  readonly policy: string;
}

/** What a form must send back. */
export interface FormState {
  readonly request: string;
  readonly proof: string;
}

const SUBMIT = 'document.forms[0].submit()';
const SUBMIT_HASH = createHash('sha256').update(SUBMIT).digest('base64');

/** Allows only Keks's own styles and pictures, and no frame. Forms go to Keks, and from there to `target`. */
export function policyOf(target?: string, script?: string): string {
  const forms = `form-action 'self'${target === undefined ? '' : ` ${target}`}`;
  const scripts = script === undefined ? '' : `script-src 'sha256-${script}'; `;
  return `default-src 'none'; ${scripts}style-src 'self'; img-src 'self'; base-uri 'none'; ${forms}; frame-ancestors 'none'`;
}

/** The address as a Content-Security-Policy spells it. A policy cannot name IPv6 addresses: they become the scheme. */
function sourceOf(redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol !== 'https:' && protocol !== 'http:') return protocol;
  return hostname.startsWith('[') ? protocol : `${protocol}//${host}`;
}

/** The place that the person is sent back to, in words that people know. */
export function placeOf(redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol !== 'https:' && protocol !== 'http:')
    return `an app on this device (${protocol.slice(0, -1)})`;
  return protocol === 'http:' ? `a program on this computer (${hostname})` : host;
}

/** Where a page is: at one of the two addresses (`page`), or below it as the answer to a form (`form`). */
export interface Where {
  readonly place: 'authorize' | 'device';
  readonly depth: 'page' | 'form';
}

/** The relative path to the root, which a proxy may have moved. */
export function up({ place, depth }: Where): string {
  return '../'.repeat((place === 'authorize' ? 1 : 0) + (depth === 'form' ? 1 : 0));
}

/** The relative address of a form, from the page with that form. */
export function action({ place, depth }: Where, form: string): string {
  return depth === 'form' ? form : `${place}/${form}`;
}

/** The relative address of the request itself, from a page. */
export function again({ place, depth }: Where, query: string): string {
  return `${depth === 'form' ? '../' : ''}${place}?${query}`;
}

/** @param root where {@link up} leads */
export function frame(title: string, content: Html, root: string, script?: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} - Keks</title>
        <link rel="icon" type="image/svg+xml" href="${root}story.svg" />
        <link rel="stylesheet" href="${root}page.css" />
        <link rel="stylesheet" href="${root}authorize.css" />
        ${script !== undefined && html`<script type="module" src="${root}${script}"></script>`}
      </head>
      <body>
        <header class="masthead">
          <p class="brand"><img src="${root}story.svg" alt="" width="28" height="28" />Keks</p>
        </header>
        <main class="ask">${content}</main>
      </body>
    </html>`.text;
}

export function hidden({ request, proof }: FormState): Html {
  return html`<input type="hidden" name="request" value="${request}" /><input
      type="hidden"
      name="proof"
      value="${proof}"
    />`;
}

const WRONG = html`<div class="notice bad" role="alert">
  <p><strong>The name or the password is wrong.</strong></p>
  <p>Try again. If you are sure of both, your account may be disabled: ask your administrator.</p>
</div>`;

/** The sign-in form, for every page that asks for one. */
export function signInForm(state: FormState, where: Where, failed: boolean): Html {
  return html`${failed && WRONG}
    <form method="post" action="${action(where, 'login')}">
      ${hidden(state)}
      <label for="user">Name</label>
      <input
        id="user"
        name="user"
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        maxlength="128"
        required
        autofocus
      />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password" required />
      <div class="choices"><button type="submit">Sign in</button></div>
    </form>`;
}

export function loginPage(
  { client, redirectUri }: AuthorizationRequest,
  state: FormState,
  { depth = 'page', failed = false }: { depth?: Where['depth']; failed?: boolean } = {},
): Page {
  const where = { place: 'authorize', depth } as const;
  const content = html`<h1>Sign in</h1>
    <p><strong>${client.name}</strong> at <strong>${placeOf(redirectUri)}</strong> asks to act for you.</p>
    ${signInForm(state, where, failed)}
    <p class="soft">Your password goes to Keks only. ${client.name} never sees it.</p>`;
  return pageOf('Sign in', content, where, { status: failed ? 403 : 200, formsTo: redirectUri });
}

/** @param formsTo the address outside Keks to which the page's forms may lead in the end */
export function pageOf(
  title: string,
  content: Html,
  where: Where,
  { status = 200, formsTo }: { readonly status?: number; readonly formsTo?: string } = {},
): Page {
  const policy = formsTo === undefined ? policyOf() : policyOf(sourceOf(formsTo));
  return { status, body: frame(title, content, up(where)), policy };
}

/** What went wrong, and what to do about it. */
export interface Trouble {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

/** @param query the request, if the person can start it again */
export function troublePage({ status, title, text }: Trouble, where: Where, query?: string): Page {
  const content = html`<h1>${title}</h1>
    <p>${text}</p>
    ${query !== undefined && html`<p><a href="${again(where, query)}">Start again</a></p>`}`;
  return pageOf(title, content, where, { status });
}

export function answerForm(
  redirectUri: string,
  parameters: Iterable<readonly [string, string]>,
  button: string,
): Html {
  const fields = [...parameters].map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  return html`<form method="post" action="${redirectUri}">
    ${fields}
    <div class="choices"><button type="submit">${button}</button></div>
  </form>`;
}

/** OAuth 2.0 Form Post Response Mode. The script only presses the button. */
export function formPostPage(
  { redirectUri }: ReturnAddress,
  parameters: Iterable<readonly [string, string]>,
  depth: Where['depth'],
): Page {
  const content = html`<h1>Back to ${placeOf(redirectUri)}</h1>
    ${answerForm(redirectUri, parameters, 'Continue')}`;
  const body = frame('Continue', content, up({ place: 'authorize', depth })).replace(
    '</body>',
    `<script>${SUBMIT}</script></body>`,
  );
  return { status: 200, body, policy: policyOf(sourceOf(redirectUri), SUBMIT_HASH) };
}
