import type { ClientRecord } from '../clients/client-record.js';
import { html } from './html.js';
import type { ClientAnswer } from './outcome.js';
import { answerForm, pageOf, placeOf, type Page, type Where } from './pages.js';

/**
 * A page that is shown before a person is sent to a client that nobody has checked, with an answer that the person did
 * not give.
 * @param location where the answer goes, with its parameters
 */
export function leavePage(
  { name }: ClientRecord,
  { address, parameters }: ClientAnswer,
  location: string,
  depth: Where['depth'],
): Page {
  const { redirectUri, responseMode } = address;
  const place = placeOf(redirectUri);
  const title = 'Nothing was allowed';
  const way = `Go back to ${place}`;
  const content = html`<h1>${title}</h1>
    <p>
      A program that calls itself <strong>${name}</strong> has sent you here with a request that Keks does not
      grant. It wants you back at <strong>${place}</strong>.
    </p>
    <p class="notice">
      <strong>Nobody here has checked who this is.</strong> Go there only if you have just come from there.
    </p>
    ${
      responseMode === 'form_post'
        ? answerForm(redirectUri, parameters, way)
        : html`<p><a href="${location}">${way}</a></p>`
    }`;
  return pageOf(title, content, { place: 'authorize', depth }, { status: 400, formsTo: redirectUri });
}
