import { createHash } from 'node:crypto';
import { isAssured, type AuthorizationRequest, type ReturnAddress } from './authorization-request.js';
import { html, type Html } from './html.js';

/** A page, and whom its forms may lead to: browsers hold on to that across redirects. */
export interface Page {
  readonly status: number;
  readonly body: string;
  readonly policy: string;
}

/** What has to come back with a form. */
interface FormState {
  readonly request: string;
  readonly proof: string;
}

const SUBMIT = 'document.forms[0].submit()';
const SUBMIT_HASH = createHash('sha256').update(SUBMIT).digest('base64');

/** Nothing but our own styles and pictures, in nobody's frame; forms go to us, and from there to the client. */
function policyOf(target?: string, script?: string): string {
  const forms = `form-action 'self'${target === undefined ? '' : ` ${target}`}`;
  const scripts = script === undefined ? '' : `script-src 'sha256-${script}'; `;
  return `default-src 'none'; ${scripts}style-src 'self'; img-src 'self'; base-uri 'none'; ${forms}; frame-ancestors 'none'`;
}

/** As a Content-Security-Policy spells it, which knows no IPv6 addresses. */
function sourceOf(redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol !== 'https:' && protocol !== 'http:') return protocol;
  return hostname.startsWith('[') ? protocol : `${protocol}//${host}`;
}

/** Where one is sent back to, as people know it. */
export function placeOf(redirectUri: string): string {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol !== 'https:' && protocol !== 'http:')
    return `an app on this device (${protocol.slice(0, -1)})`;
  return protocol === 'http:' ? `a program on this computer (${hostname})` : host;
}

/** @param up the way from the page's address to the root, which a proxy may have put elsewhere */
function frame(title: string, content: Html, up: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} - Keks</title>
        <link rel="icon" type="image/svg+xml" href="${up}story.svg" />
        <link rel="stylesheet" href="${up}page.css" />
        <link rel="stylesheet" href="${up}authorize.css" />
      </head>
      <body>
        <header class="masthead">
          <p class="brand"><img src="${up}story.svg" alt="" width="28" height="28" />Keks</p>
        </header>
        <main class="ask">${content}</main>
      </body>
    </html>`.text;
}

/** Pages at /oauth/authorize, and those that answer the forms below it. */
export type Depth = 'page' | 'form';
const UP: Readonly<Record<Depth, string>> = { page: '../', form: '../../' };
/** From a page to where its forms go. */
const ACTION: Readonly<Record<Depth, string>> = { page: 'authorize/', form: '' };
/** From a page to the request itself. */
const AGAIN: Readonly<Record<Depth, string>> = { page: 'authorize', form: '../authorize' };

function hidden({ request, proof }: FormState): Html {
  return html`<input type="hidden" name="request" value="${request}" /><input
      type="hidden"
      name="proof"
      value="${proof}"
    />`;
}

export function loginPage(
  { client, redirectUri }: AuthorizationRequest,
  state: FormState,
  { depth = 'page', failed }: { depth?: Depth; failed?: boolean } = {},
): Page {
  const content = html`<h1>Sign in</h1>
    <p><strong>${client.name}</strong> at <strong>${placeOf(redirectUri)}</strong> asks to act for you.</p>
    ${
      failed === true &&
      html`<div class="notice bad" role="alert">
        <p><strong>The name or the password is wrong.</strong></p>
        <p>Try again. If you are sure of both, your account may be disabled: ask your administrator.</p>
      </div>`
    }
    <form method="post" action="${ACTION[depth]}login">
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
    </form>
    <p class="soft">Your password goes to Keks only. ${client.name} never sees it.</p>`;
  return {
    status: failed === true ? 403 : 200,
    body: frame('Sign in', content, UP[depth]),
    policy: policyOf(sourceOf(redirectUri)),
  };
}

export interface Asked {
  readonly request: AuthorizationRequest;
  readonly userName: string;
  readonly scope: readonly string[];
  readonly words: ReadonlyMap<string, string>;
  /** Undefined for the authority's own. */
  readonly api: string | undefined;
  readonly lastsDays: number;
  readonly switchTo: string;
}

export function consentPage({ request, ...asked }: Asked, state: FormState): Page {
  const { client, redirectUri, offline } = request;
  const items = asked.scope.map((scope) => {
    const words = asked.words.get(scope);
    return words === undefined
      ? html`<li><code>${scope}</code></li>`
      : html`<li>${words} <code>${scope}</code></li>`;
  });
  const content = html`<h1>Let ${client.name} act for you?</h1>
    <dl class="facts">
      <div>
        <dt>Who asks</dt>
        <dd><strong>${client.name}</strong>, ${knownSince(client)}</dd>
      </div>
      <div>
        <dt>You will be sent back to</dt>
        <dd><strong>${placeOf(redirectUri)}</strong></dd>
      </div>
      <div>
        <dt>Signed in as</dt>
        <dd>${asked.userName} (<a href="authorize?${asked.switchTo}">not you?</a>)</dd>
      </div>
    </dl>
    ${
      client.selfRegistered &&
      html`<p class="notice">
        <strong>Nobody here has checked who this is.</strong> The program chose its name itself. Allow it only
        if you have just started it, and you know where you will be sent back to.
      </p>`
    }
    <h2>It may then, in your name${asked.api !== undefined && html`, at ${asked.api}`}</h2>
    <ul class="scopes">
      ${asked.scope.length > 0 ? items : html`<li>know who you are, and nothing more</li>`}
      ${offline && html`<li>do so while you are away, for ${String(asked.lastsDays)} days at most</li>`}
    </ul>
    <p class="soft">You can end this at any time: ask Keks for your consents, or your administrator.</p>
    <form method="post" action="authorize/consent">
      ${hidden(state)}
      ${
        isAssured(request) &&
        html`<label class="remember">
          <input type="checkbox" name="remember" value="yes" />
          Do not ask me again for ${client.name} and no more than this, for ${String(asked.lastsDays)} days
        </label>`
      }
      <div class="choices">
        <button type="submit" name="decision" value="deny">Deny</button>
        <button type="submit" name="decision" value="allow">Allow</button>
      </div>
    </form>`;
  return {
    status: 200,
    body: frame(`Let ${client.name} act for you?`, content, UP.page),
    policy: policyOf(sourceOf(redirectUri)),
  };
}

/** Of one that registered itself that is all that is known. */
function knownSince({ clientId, selfRegistered, createdAt }: AuthorizationRequest['client']): string {
  const day = createdAt.toISOString().slice(0, 10);
  if (clientId.startsWith('https:'))
    return `as ${new URL(clientId).host} describes it, first seen here on ${day}, not verified`;
  return selfRegistered ? `first seen here on ${day}, not verified` : `registered on ${day}`;
}

/** What went wrong, and what to do about it. */
export interface Trouble {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

/** @param again the request, where there is a way back to it */
export function troublePage({ status, title, text }: Trouble, depth: Depth, again?: string): Page {
  const content = html`<h1>${title}</h1>
    <p>${text}</p>
    ${again !== undefined && html`<p><a href="${AGAIN[depth]}?${again}">Start again</a></p>`}`;
  return { status, body: frame(title, content, UP[depth]), policy: policyOf() };
}

/** OAuth 2.0 Form Post Response Mode. The script only presses the button. */
export function formPostPage(
  { redirectUri }: ReturnAddress,
  parameters: Iterable<readonly [string, string]>,
  depth: Depth,
): Page {
  const fields = [...parameters].map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  const content = html`<h1>Back to ${placeOf(redirectUri)}</h1>
    <form method="post" action="${redirectUri}">
      ${fields}
      <div class="choices"><button type="submit">Continue</button></div>
    </form>`;
  const body = frame('Continue', content, UP[depth]).replace('</body>', `<script>${SUBMIT}</script></body>`);
  return { status: 200, body, policy: policyOf(sourceOf(redirectUri), SUBMIT_HASH) };
}
