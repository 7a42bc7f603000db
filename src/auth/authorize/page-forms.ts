import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { ScopeDescriptions } from '../scopes/scope-descriptions.js';
import type { AuthorizationRequest } from './authorization-request.js';
import { BrowserCookies } from './browser-cookies.js';
import type { BrowserSession } from './browser-sessions.js';
import type { Consent } from './consents.service.js';
import { FormProof, type ProofFlaw } from './form-proof.js';
import type { Outcome } from './outcome.js';
import { consentPage, loginPage } from './pages.js';

/** Owns that a form which comes back is one that this browser was shown. */
@Injectable()
export class PageForms {
  constructor(
    readonly cookies: BrowserCookies,
    private readonly proof: FormProof,
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
      switchTo: withLogin(query),
    };
    return { page: consentPage(asked, { request: query, proof }) };
  }
}

function withLogin(query: string): string {
  const parameters = new URLSearchParams(query);
  parameters.set('prompt', 'login');
  return parameters.toString();
}
