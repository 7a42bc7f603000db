import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { ScopeDescriptions } from '../scopes/scope-descriptions.js';
import type { AuthorizationRequest } from './authorization-request.js';
import { BrowserCookies } from './browser-cookies.js';
import type { BrowserSession } from './browser-sessions.js';
import type { Consent } from './consents.service.js';
import { FormProof, type FormSubject, type ProofFlaw } from './form-proof.js';
import type { Outcome } from './outcome.js';
import { consentPage } from './consent-page.js';
import { loginPage } from './pages.js';
import { SignOut } from './sign-out.js';

/** Owns the forms of these pages, and the check that this browser was shown a form that comes back. */
@Injectable()
export class PageForms {
  constructor(
    readonly cookies: BrowserCookies,
    private readonly proof: FormProof,
    private readonly signOut: SignOut,
    private readonly descriptions: ScopeDescriptions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  loginFlaw(proof: string, query: string, cookie: string | undefined): ProofFlaw | undefined {
    const browser = this.cookies.read(cookie, 'visit');
    if (browser === undefined) return 'forged';
    return this.proof.flawOf(proof, { form: 'login', browser, request: query });
  }

  consentFlaw(proof: string, query: string, session: BrowserSession): ProofFlaw | undefined {
    return this.proof.flawOf(proof, { form: 'consent', browser: session.token, request: query });
  }

  login(request: AuthorizationRequest, query: string, cookie: string | undefined, failed = false): Outcome {
    const known = this.cookies.read(cookie, 'visit');
    const browser = known ?? randomBytes(24).toString('base64url');
    const proof = this.proof.make({ form: 'login', browser, request: query });
    const page = loginPage(request, { request: query, proof }, { depth: failed ? 'form' : 'page', failed });
    return { page, ...(known === undefined && { cookies: [this.cookies.set('visit', browser)] }) };
  }

  /** Whether a person who is signed in must give the password again. */
  wantsLogin({ prompt, pushed }: AuthorizationRequest, query: string, session: BrowserSession): boolean {
    const wanted = prompt.has('login') || prompt.has('select_account');
    const mark = pushed ? (new URLSearchParams(query).get(MARK) ?? '') : '';
    if (!pushed || mark === '') return wanted;
    if (mark === AGAIN) return true;
    return wanted && this.proof.flawOf(mark, signedIn(query, session.token)) !== undefined;
  }

  /** The query that pages pass on. Of a pushed request: only the client, the request's name and Keks's own mark. */
  tidy({ pushed }: AuthorizationRequest, query: string): string {
    if (!pushed) return query;
    const kept = new Set(['client_id', 'request_uri', MARK]);
    return new URLSearchParams([...new URLSearchParams(query)].filter(([name]) => kept.has(name))).toString();
  }

  /** The query of the same request, after the person has just signed in for it. */
  afterLogin({ pushed }: AuthorizationRequest, query: string, token: string): string {
    if (!pushed) return withoutLogin(query);
    const parameters = new URLSearchParams(query);
    parameters.set(MARK, this.proof.make(signedIn(query, token)));
    return parameters.toString();
  }

  newVisit(): string {
    return this.cookies.set('visit', randomBytes(24).toString('base64url'));
  }

  async consent(consent: Consent, session: BrowserSession, query: string): Promise<Outcome> {
    const { request, scope, audience } = consent;
    const proof = this.proof.make({ form: 'consent', browser: session.token, request: query });
    const asked = {
      request,
      userName: session.user.name,
      scope,
      words: await this.descriptions.of(scope),
      api: audience === this.config.AUDIENCE ? undefined : audience,
      lastsDays: Math.max(1, Math.round(this.config.SESSION_TTL / 86_400)),
      switchTo: loginAgain(request, query),
      signOut: this.signOut.formFor(session, query),
    };
    return { page: consentPage(asked, { request: query, proof }) };
  }
}

/** Says that the person has signed in with this session for this pushed request. */
function signedIn(query: string, browser: string): FormSubject {
  return { form: 'signed-in', browser, request: new URLSearchParams(query).get('request_uri') ?? '' };
}

/** The parameter with Keks's own mark. It stands beside a pushed request, which gets no addition (RFC 9101 §6.3). */
const MARK = 'login';
const AGAIN = 'again';

function loginAgain({ pushed }: AuthorizationRequest, query: string): string {
  const parameters = new URLSearchParams(query);
  if (pushed) parameters.set(MARK, AGAIN);
  else parameters.set('prompt', 'login');
  return parameters.toString();
}

/** The query of the same request, without the `prompt` values that the login has fulfilled. */
function withoutLogin(query: string): string {
  const parameters = new URLSearchParams(query);
  const left = (parameters.get('prompt') ?? '').split(' ').filter((one) => one === 'consent');
  if (left.length > 0) parameters.set('prompt', left.join(' '));
  else parameters.delete('prompt');
  return parameters.toString();
}
