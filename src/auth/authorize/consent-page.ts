import { knownSince, notChecked } from './asking-client.js';
import { isAssured, type AuthorizationRequest } from './authorization-request.js';
import { html, type Html } from './html.js';
import { action, again, hidden, pageOf, placeOf, type FormState, type Page, type Where } from './pages.js';
import { signedInAs, signOutForm } from './sign-out-page.js';

const WHERE: Where = { place: 'authorize', depth: 'page' };

export interface Asked {
  readonly request: AuthorizationRequest;
  readonly userName: string;
  readonly scope: readonly string[];
  readonly words: ReadonlyMap<string, string>;
  /** The address of the API; undefined for the authority's own API. */
  readonly api: string | undefined;
  readonly lastsDays: number;
  readonly switchTo: string;
  readonly signOut: FormState;
}

/** What the person would allow, in plain words. */
export function whatItMay(
  { scope, words, api, lastsDays }: Pick<Asked, 'scope' | 'words' | 'api' | 'lastsDays'>,
  offline: boolean,
): Html {
  const items = scope.map((one) => {
    const said = words.get(one);
    return said === undefined
      ? html`<li><code>${one}</code></li>`
      : html`<li>${said} <code>${one}</code></li>`;
  });
  return html`<h2>It may then, in your name${api !== undefined && html`, at ${api}`}</h2>
    <ul class="scopes">
      ${items.length > 0 ? items : html`<li>know who you are, and nothing more</li>`}
      ${offline && html`<li>do so while you are away, for ${String(lastsDays)} days at most</li>`}
    </ul>
    <p class="soft">You can end this at any time: ask Keks for your consents, or your administrator.</p>`;
}

export function consentPage({ request, ...asked }: Asked, state: FormState): Page {
  const { client, redirectUri, offline } = request;
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
        <dd>${signedInAs(asked.userName, again(WHERE, asked.switchTo))}</dd>
      </div>
    </dl>
    ${notChecked(client, 'and you know where you will be sent back to')} ${whatItMay(asked, offline)}
    <form method="post" action="${action(WHERE, 'consent')}">
      ${hidden(state)}
      ${
        isAssured(request) &&
        html`<label class="remember">
          <input type="checkbox" name="remember" value="yes" />
          Do not ask me again for ${client.name} and no more than this, for ${String(asked.lastsDays)} days
        </label>`
      }
      ${CHOICES}
    </form>
    ${signOutForm(asked.signOut, WHERE)}`;
  return pageOf(`Let ${client.name} act for you?`, content, WHERE, { formsTo: redirectUri });
}

/** To deny is as easy as to allow. */
export const CHOICES = html`<div class="choices">
  <button type="submit" name="decision" value="deny">Deny</button>
  <button type="submit" name="decision" value="allow">Allow</button>
</div>`;
