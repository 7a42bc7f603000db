import { html, type Html } from './html.js';
import { action, again, hidden, pageOf, type FormState, type Page, type Where } from './pages.js';

const FORM = 'sign-out';

/** The button belongs to the form of {@link signOutForm}, elsewhere on the page: HTML forms cannot be nested. */
export function signedInAs(userName: string, switchTo: string): Html {
  return html`${userName}
    <span class="leave">
      <a href="${switchTo}">not you?</a>
      <button type="submit" form="${FORM}" class="quiet">Sign out</button>
    </span>`;
}

export function signOutForm(state: FormState, where: Where): Html {
  return html`<form id="${FORM}" method="post" action="${action(where, 'sign-out')}">${hidden(state)}</form>`;
}

/** @param query the request that the person left, and can start again */
export function signedOutPage(where: Where, query: string): Page {
  const title = 'You are signed out';
  const content = html`<h1>${title}</h1>
    <p>
      This browser is signed out of these pages, and nothing more was allowed. What you allowed before stays
      so: you find it among your consents.
    </p>
    <p><a href="${again(where, query)}">Sign in again</a></p>`;
  return pageOf(title, content, where);
}
