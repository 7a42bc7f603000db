import { createHash, randomBytes } from 'node:crypto';
import { PASSWORD } from './test-app.js';

/** A person with a browser that has no scripts: it keeps cookies, fills forms in, and follows redirects by hand. */

export interface Shown {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Where it sends the browser, if it does. */
  readonly location: string | undefined;
}

export interface AskedFor {
  readonly client_id: string;
  readonly redirect_uri: string;
  readonly [name: string]: string;
}

export const pkce = (verifier = randomBytes(32).toString('base64url')) => ({
  verifier,
  challenge: createHash('sha256').update(verifier).digest('base64url'),
});

/** A request as a client makes it; `undefined` leaves a parameter out. */
export function authorizePath(parameters: Record<string, string | undefined>): string {
  const given = { response_type: 'code', code_challenge_method: 'S256', state: 's t&=', ...parameters };
  const pairs = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `/oauth/authorize?${new URLSearchParams(pairs)}`;
}

export class Visitor {
  constructor(
    readonly url: string,
    readonly cookies = new Map<string, string>(),
  ) {}

  async open(path: string, init: RequestInit = {}): Promise<Shown> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...(cookie && { cookie }), ...(init.headers as Record<string, string>) };
    const answer = await fetch(this.url + path, { redirect: 'manual', ...init, headers });
    for (const set of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=');
      this.cookies.set(name, value);
    }
    const location = answer.headers.get('location') ?? undefined;
    return { status: answer.status, headers: answer.headers, text: await answer.text(), location };
  }

  /** Sends the form of a page, with what is typed and the button that is pressed. */
  submit(
    page: Shown,
    form: 'login' | 'consent' | 'sign-out',
    fields: Record<string, string> = {},
  ): Promise<Shown> {
    return this.open(`/oauth/authorize/${form}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...hiddenOf(page, form), ...fields }).toString(),
    });
  }

  /** From the sign-in page to whatever comes then. */
  async signIn(page: Shown, user: string, password = PASSWORD): Promise<Shown> {
    const answer = await this.submit(page, 'login', { user, password });
    if (answer.status !== 303 || !answer.location?.startsWith('../authorize?')) return answer;
    return this.open(answer.location.replace('..', '/oauth'));
  }
}

/** Of the page's own form, or of the button that signs out, which is the last of each page. */
export function hiddenOf({ text }: Shown, form?: string): { request: string; proof: string } {
  const within = form === 'sign-out' ? text.slice(text.indexOf('id="sign-out"')) : text;
  const value = (name: string): string =>
    new RegExp(`name="${name}"\\s+value="([^"]*)"`).exec(within)?.[1]?.replaceAll('&amp;', '&') ?? '';
  return { request: value('request'), proof: value('proof') };
}

/** What came back to the client. */
export function answerOf({ location }: Shown): Record<string, string> {
  return location === undefined ? {} : Object.fromEntries(new URL(location).searchParams);
}

/** What comes back to a client that nobody has checked, once the person follows the link of the page. */
export function answerBehind({ text }: Shown): Record<string, string> {
  const [, href] = /<a href="([^"]+)">Go back to/.exec(text) ?? [];
  if (href === undefined) return {};
  return Object.fromEntries(new URL(href.replaceAll('&amp;', '&')).searchParams);
}
