import { Injectable } from '@nestjs/common';
import type { RequestOrigin } from '../request-origin.js';
import { isAssured, refused, type AuthorizationRequest, type Refused } from './authorization-request.js';
import { AuthorizationRequests } from './authorization-requests.js';
import { BrowserLogins } from './browser-logins.js';
import { BrowserSessions, type BrowserSession } from './browser-sessions.js';
import { ConsentsService, type Consent } from './consents.service.js';
import { PageForms } from './page-forms.js';
import type { Outcome } from './outcome.js';
import { givable } from './requested-access.js';

/** One request from a person's browser. */
export interface Visit {
  /** The query of the authorization request, without the question mark. */
  readonly query: string;
  readonly cookie: string | undefined;
  readonly origin: RequestOrigin;
}

interface LoginForm {
  readonly proof: string;
  readonly user: string;
  readonly password: string;
}

interface ConsentForm {
  readonly proof: string;
  readonly allow: boolean;
  readonly remember: boolean;
}

const DENIED = refused('access_denied', 'The person has said no.');

/** Owns the steps from a client's request through the person's consent to a code; never what the code is good for. */
@Injectable()
export class AuthorizationFlow {
  constructor(
    private readonly requests: AuthorizationRequests,
    private readonly sessions: BrowserSessions,
    private readonly logins: BrowserLogins,
    private readonly consents: ConsentsService,
    private readonly forms: PageForms,
  ) {}

  /** RFC 6749 §4.1.1. @throws Unavailable */
  async ask({ query: sent, cookie, origin }: Visit): Promise<Outcome> {
    const read = await this.requests.read(sent, origin);
    if ('outcome' in read) return read.outcome;
    const { request } = read;
    const query = this.forms.tidy(request, sent);
    const session = await this.sessionOf(cookie);
    const { prompt } = request;
    if (!session || this.forms.wantsLogin(request, query, session)) {
      if (prompt.has('none')) return this.refuse(request, refused('login_required', 'Nobody is signed in.'));
      return this.forms.login(request, query, cookie);
    }
    const consent = this.consentOf(request, session);
    if ('error' in consent) return this.refuse(request, consent);
    if (!prompt.has('consent') && isAssured(request) && (await this.consents.isRemembered(consent)))
      return this.allow({ ...consent, asked: false }, origin);
    if (prompt.has('none'))
      return this.refuse(request, refused('consent_required', 'The person has to be asked.'));
    return this.forms.consent(consent, session, query);
  }

  /** @throws WireError too_many_requests; Unavailable */
  async signIn({ query, cookie, origin }: Visit, form: LoginForm): Promise<Outcome> {
    const flaw = this.forms.loginFlaw(form.proof, query, cookie);
    if (flaw) return { trouble: flaw, again: query };
    const read = await this.requests.read(query, origin);
    if ('outcome' in read) return read.outcome;
    const token = await this.logins.begin(form, await this.sessionOf(cookie), origin);
    if (token === undefined) return this.forms.login(read.request, query, cookie, true);
    const { cookies } = this.forms;
    const onwards = this.forms.afterLogin(read.request, query, token);
    return { onwards, cookies: [cookies.set('session', token), this.forms.newVisit()] };
  }

  /** @throws Unavailable */
  async decide({ query, cookie, origin }: Visit, form: ConsentForm): Promise<Outcome> {
    const session = await this.sessionOf(cookie);
    if (!session) return { trouble: 'signed_out', again: query };
    const flaw = this.forms.consentFlaw(form.proof, query, session);
    if (flaw) return { trouble: flaw, again: query };
    const read = await this.requests.read(query, origin);
    if ('outcome' in read) return read.outcome;
    if (!form.allow) return this.deny(read.request);
    const consent = this.consentOf(read.request, session);
    if ('error' in consent) return this.refuse(read.request, consent);
    return this.allow({ ...consent, remembered: form.remember && isAssured(read.request) }, origin);
  }

  private sessionOf(cookie: string | undefined): Promise<BrowserSession | undefined> {
    return this.sessions.find(this.forms.cookies.read(cookie, 'session'));
  }

  private consentOf(request: AuthorizationRequest, session: BrowserSession): Consent | Refused {
    const scope = givable(request.scope, session.user.scope);
    if (!scope) return refused('access_denied', 'The person has nothing of this scope.');
    const audience = this.requests.audienceOf(request);
    return {
      user: session.user,
      sessionId: session.id,
      request,
      scope,
      audience,
      remembered: false,
      asked: true,
    };
  }

  private async refuse(request: AuthorizationRequest, why: Refused): Promise<Outcome> {
    await this.requests.spend(request);
    return this.requests.refuse(request.client, request, why);
  }

  private async deny(request: AuthorizationRequest): Promise<Outcome> {
    await this.requests.spend(request);
    return { answer: this.requests.refusal(request, DENIED) };
  }

  private async allow(consent: Consent, origin: RequestOrigin): Promise<Outcome> {
    const code = await this.consents.give(consent, origin);
    return { answer: this.requests.answer(consent.request, [['code', code]]) };
  }
}
