import draft4 from 'ajv-draft-04';
import { closed } from '../support/closed.js';
import { parseChallenges } from '../support/challenge-parser.js';
import { isListed } from '../support/error-shape.js';
import { namesOf, type Documented, type Media, type Operation } from './document.js';
import type { Exchange } from './exchange.js';

/** OpenAPI 3.0 speaks the JSON Schema of draft 4. A schema that is the same object is compiled once. */
const ajv = new draft4.default({ strict: false, validateFormats: false, allErrors: true });

/** What an answer does that the document, or what holds for every route, does not allow. */
export function flawsOf(operation: Operation, answer: Exchange): string[] {
  const documented = operation.responses[String(answer.status)];
  if (answer.status >= 500) return [`${answer.status}`];
  if (!documented) return [`${answer.status} is not documented`];
  return [
    ...bodyFlaws(operation, documented, answer),
    ...headerFlaws(operation, answer),
    ...(answer.status < 400 && operation.security === 'bearer' && !answer.authenticated
      ? ['let in without credentials']
      : []),
  ];
}

function bodyFlaws(
  operation: Operation,
  documented: Documented,
  { status, headers, text }: Exchange,
): string[] {
  const [content] = Object.entries(documented.content ?? {});
  if (!content) return text === '' ? [] : ['a body where none is documented'];
  const [type, media] = content;
  const sent = String(headers['content-type']).split(';')[0] ?? '';
  if (sent !== type) return [`Content-Type ${sent}, not ${type}`];
  if (type !== 'application/json') return [];
  const value: unknown = JSON.parse(text);
  if (status >= 400)
    return isDocumented(media, value) && isListed(value, namesOf(operation))
      ? []
      : ['not a documented error'];
  const validate = ajv.compile(closed(media.schema));
  return validate(value) ? [] : (validate.errors ?? []).map((flaw) => `${flaw.instancePath} ${flaw.message}`);
}

function isDocumented(media: Media, value: unknown): boolean {
  const examples = media.example
    ? [media.example]
    : Object.values(media.examples ?? {}).map((one) => one.value);
  const codes = examples.map((one) => (one as { error: string }).error);
  return codes.includes((value as { error: string }).error);
}

function headerFlaws(operation: Operation, { status, headers, text }: Exchange): string[] {
  const flaws: string[] = [];
  const want = (name: string, pattern: RegExp): void => {
    const value = headers[name];
    if (typeof value !== 'string' || !pattern.test(value)) flaws.push(`${name}: ${value}`);
  };
  want('x-request-id', /^[0-9a-f]{16}$/);
  want('x-content-type-options', /^nosniff$/);
  want('content-security-policy', /^default-src 'none'/);
  if (text !== '' && status >= 400) want('content-type', /^application\/json; charset=utf-8$/);
  if (status >= 400 || operation.security !== undefined || operation.method !== 'GET')
    want('cache-control', /^no-store$/);
  if (status === 429) want('retry-after', /^[1-9]\d*$/);
  if ('x-injected' in headers) flaws.push('a header of the caller’s making');
  return [...flaws, ...challengeFlaws(status, headers['www-authenticate'], text)];
}

/** RFC 9110 §11.6.1 and RFC 6750 §3: with each 401, with 403, with what the guard finds malformed, and else never. */
function challengeFlaws(status: number, header: string | undefined, text: string): string[] {
  const code = status >= 400 ? (JSON.parse(text) as { error: string }).error : '';
  if (header === undefined) return status === 401 || status === 403 ? ['no challenge'] : [];
  const [challenge] = parseChallenges(header);
  const scheme = code === 'invalid_client' ? 'Basic' : 'Bearer';
  const error = ['invalid_token', 'insufficient_scope', 'invalid_request'].includes(code) ? code : undefined;
  if (![400, 401, 403].includes(status) || challenge?.scheme !== scheme) return [`challenge ${header}`];
  return challenge.params.get('error') === error ? [] : [`challenge ${header} with ${code}`];
}
