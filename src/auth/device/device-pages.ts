import { knownSince, notChecked } from '../authorize/asking-client.js';
import { html, type Html } from '../authorize/html.js';
import { CHOICES, whatItMay } from '../authorize/consent-page.js';
import {
  action,
  again,
  hidden,
  pageOf,
  signInForm,
  type FormState,
  type Page,
  type Where,
} from '../authorize/pages.js';
import { signedInAs, signOutForm } from '../authorize/sign-out-page.js';
import type { WaitingDevice } from './device-requests.js';
import { shownUserCode } from './user-codes.js';

const PAGE: Where = { place: 'device', depth: 'page' };
const FORM: Where = { place: 'device', depth: 'form' };

export function deviceLoginPage(state: FormState, failed = false): Page {
  const where = failed ? FORM : PAGE;
  const content = html`<h1>Sign in</h1>
    <p>Then you can let a device in that shows you a code.</p>
    ${signInForm(state, where, failed)}
    <p class="soft">Your password goes to Keks only. The device never sees it.</p>`;
  return pageOf('Sign in', content, where, { status: failed ? 403 : 200 });
}

export type CodeFlaw = 'unknown' | 'nothing';

const FLAWS: Readonly<Record<CodeFlaw, Html>> = {
  unknown: html`<p><strong>No device is waiting with this code.</strong></p>
    <p>
      Compare it with your device letter by letter. A code is good for 10 minutes: let the device show a new
      one.
    </p>`,
  nothing: html`<p><strong>You cannot give this device what it asks for.</strong></p>
    <p>You have nothing of it yourself. Nothing was allowed: ask your administrator.</p>`,
};

export interface CodeForm {
  readonly state: FormState;
  readonly userName: string;
  /** The text in the code field. */
  readonly code: string;
  readonly flaw?: CodeFlaw | undefined;
  readonly signOut: FormState;
}

/**
 * Fills in the code of the address, but the person must say that their device shows it (RFC 8628 §3.3.1). A code that
 * was typed wrong stays in the field, too.
 */
export function codePage({ state, userName, code, flaw, signOut }: CodeForm): Page {
  const where = flaw ? FORM : PAGE;
  const filled = code !== '' && !flaw;
  const content = html`<h1>
      ${filled ? 'Is this the code on your device?' : 'Which code does your device show?'}
    </h1>
    ${flaw && html`<div class="notice bad" role="alert">${FLAWS[flaw]}</div>`}
    <form method="post" action="${action(where, 'code')}">
      ${hidden(state)}
      <label for="user_code">Code</label>
      <input
        id="user_code"
        name="user_code"
        class="code"
        value="${code}"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        maxlength="40"
        aria-describedby="origin"
        required
        ${!filled && html`autofocus`}
      />
      <p class="soft" id="origin">
        Go on only if the code stands on a device in front of you, and you have started this yourself. Whoever
        sent you a code or this address wants in, in your name.
      </p>
      <div class="choices">
        <button type="submit">${filled ? 'My device shows this code' : 'Go on'}</button>
      </div>
    </form>
    <p class="soft">Signed in as ${signedInAs(userName, again(where, switchQuery(code)))}</p>
    ${signOutForm(signOut, where)}`;
  return pageOf('Let a device in', content, where, { status: flaw ? 400 : 200 });
}

function switchQuery(code: string): string {
  return new URLSearchParams({ login: 'again', ...(code !== '' && { user_code: code }) }).toString();
}

export interface DeviceAsked {
  readonly device: WaitingDevice;
  readonly code: string;
  readonly userName: string;
  readonly scope: readonly string[];
  readonly words: ReadonlyMap<string, string>;
  readonly api: string | undefined;
  readonly lastsDays: number;
  readonly signOut: FormState;
}

/** Shown only as the answer to a form, so that no link leads here (RFC 8628 §5.4). */
export function deviceConsentPage({ device, code, ...asked }: DeviceAsked, state: FormState): Page {
  const { client, offline, ip, askedAt } = device;
  const title = `Let ${client.name} act for you?`;
  const content = html`<h1>${title}</h1>
    <dl class="facts">
      <div>
        <dt>Who asks</dt>
        <dd><strong>${client.name}</strong>, ${knownSince(client)}</dd>
      </div>
      <div>
        <dt>On a device that shows</dt>
        <dd><strong class="code">${shownUserCode(code)}</strong></dd>
      </div>
      <div>
        <dt>It has asked</dt>
        <dd>at ${askedAt.toISOString().slice(11, 16)} UTC${ip !== null && html`, from ${ip}`}</dd>
      </div>
      <div>
        <dt>Signed in as</dt>
        <dd>${signedInAs(asked.userName, again(FORM, switchQuery(shownUserCode(code))))}</dd>
      </div>
    </dl>
    ${notChecked(client, 'and the code stands on a device in front of you')} ${whatItMay(asked, offline)}
    <form method="post" action="${action(FORM, 'consent')}">${hidden(state)} ${CHOICES}</form>
    ${signOutForm(asked.signOut, FORM)}`;
  return pageOf(title, content, FORM);
}

export interface Decided {
  readonly client: string;
  readonly allowed: boolean;
  readonly userName: string;
  readonly signOut: FormState;
}

export function decidedPage({ client: name, allowed, userName, signOut }: Decided): Page {
  const title = allowed ? 'Your device is let in' : 'Nothing was allowed';
  const content = html`<h1>${title}</h1>
    <p>
      ${
        allowed
          ? html`<strong>${name}</strong> may act for you. Go back to your device: it goes on by itself in a
              few seconds.`
          : html`<strong>${name}</strong> gets nothing, and is told so. You can close this page.`
      }
    </p>
    <p class="soft">Signed in as ${signedInAs(userName, again(FORM, switchQuery('')))}</p>
    ${signOutForm(signOut, FORM)}`;
  return pageOf(title, content, FORM);
}
