import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { CONFIG, type Config } from '../../config/config.js';
import { BrowserCookies } from '../authorize/browser-cookies.js';
import type { BrowserSession } from '../authorize/browser-sessions.js';
import { FormProof, type ProofFlaw } from '../authorize/form-proof.js';
import type { Outcome } from '../authorize/outcome.js';
import { SignOut } from '../authorize/sign-out.js';
import { ScopeDescriptions } from '../scopes/scope-descriptions.js';
import { codePage, decidedPage, deviceConsentPage, deviceLoginPage, type CodeFlaw } from './device-pages.js';
import type { FoundDevice } from './device-search.js';
import { shownUserCode } from './user-codes.js';

/** Owns the forms of the device pages, and the check that this browser was shown a form that comes back. */
@Injectable()
export class DeviceForms {
  constructor(
    readonly cookies: BrowserCookies,
    private readonly proof: FormProof,
    private readonly signOut: SignOut,
    private readonly descriptions: ScopeDescriptions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  loginFlaw(proof: string, code: string, cookie: string | undefined): ProofFlaw | undefined {
    const browser = this.cookies.read(cookie, 'visit');
    if (browser === undefined) return 'forged';
    return this.proof.flawOf(proof, { form: 'device-login', browser, request: code });
  }

  codeFlaw(proof: string, { token: browser }: BrowserSession): ProofFlaw | undefined {
    return this.proof.flawOf(proof, { form: 'device-code', browser, request: '' });
  }

  consentFlaw(proof: string, code: string, { token: browser }: BrowserSession): ProofFlaw | undefined {
    return this.proof.flawOf(proof, { form: 'device-consent', browser, request: code });
  }

  /** @param code as people see it, or empty */
  login(code: string, cookie: string | undefined, failed = false): Outcome {
    const known = this.cookies.read(cookie, 'visit');
    const browser = known ?? randomBytes(24).toString('base64url');
    const proof = this.proof.make({ form: 'device-login', browser, request: code });
    const page = deviceLoginPage({ request: code, proof }, failed);
    return { page, ...(known === undefined && { cookies: [this.cookies.set('visit', browser)] }) };
  }

  newVisit(): string {
    return this.cookies.set('visit', randomBytes(24).toString('base64url'));
  }

  code(session: BrowserSession, code: string, flaw?: CodeFlaw): Outcome {
    const { user, token: browser } = session;
    const proof = this.proof.make({ form: 'device-code', browser, request: '' });
    const signOut = this.signOut.formFor(session, queryOf(code));
    return { page: codePage({ state: { request: '', proof }, userName: user.name, code, flaw, signOut }) };
  }

  /** @param scope the part of the requested scope that the person has */
  async consent(
    { device, code }: FoundDevice,
    scope: readonly string[],
    session: BrowserSession,
  ): Promise<Outcome> {
    const { user, token: browser } = session;
    const proof = this.proof.make({ form: 'device-consent', browser, request: shownUserCode(code) });
    const asked = {
      device,
      code,
      scope,
      userName: user.name,
      words: await this.descriptions.of(scope),
      api: device.audience === this.config.AUDIENCE ? undefined : device.audience,
      lastsDays: Math.max(1, Math.round(this.config.SESSION_TTL / 86_400)),
      signOut: this.signOut.formFor(session, queryOf(shownUserCode(code))),
    };
    return { page: deviceConsentPage(asked, { request: shownUserCode(code), proof }) };
  }

  decided(client: string, allowed: boolean, session: BrowserSession): Outcome {
    const userName = session.user.name;
    return { page: decidedPage({ client, allowed, userName, signOut: this.signOut.formFor(session, '') }) };
  }
}

/** The query of the address that puts this code into the field. */
export function queryOf(shown: string): string {
  return shown === '' ? '' : new URLSearchParams({ user_code: shown }).toString();
}
