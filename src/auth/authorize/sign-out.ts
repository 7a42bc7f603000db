import { Injectable } from '@nestjs/common';
import { GrantsService } from '../grants/grants.service.js';
import type { RequestOrigin } from '../request-origin.js';
import { BrowserCookies } from './browser-cookies.js';
import { BrowserSessions, type BrowserSession } from './browser-sessions.js';
import { FormProof, type FormSubject } from './form-proof.js';
import type { Outcome } from './outcome.js';
import type { FormState, Where } from './pages.js';
import { signedOutPage } from './sign-out-page.js';

/** Owns that a person signs a browser out of these pages; never what they have allowed there. */
@Injectable()
export class SignOut {
  constructor(
    private readonly cookies: BrowserCookies,
    private readonly sessions: BrowserSessions,
    private readonly grants: GrantsService,
    private readonly proof: FormProof,
  ) {}

  /** @param query of the address where the person can go on, once signed in again */
  formFor(session: BrowserSession, query: string): FormState {
    return { request: query, proof: this.proof.make(subject(session, query)) };
  }

  /** Accepts a form that is too old, as well: a person who wants to leave is not asked again. @throws Unavailable */
  async end(
    { request: query, proof }: FormState,
    { cookie, origin }: { readonly cookie: string | undefined; readonly origin: RequestOrigin },
    where: Where,
  ): Promise<Outcome> {
    const session = await this.sessions.find(this.cookies.read(cookie, 'session'));
    if (session) {
      if (this.proof.flawOf(proof, subject(session, query)) === 'forged')
        return { trouble: 'forged', again: query };
      const { id, user } = session;
      const by = { actor: `user:${user.name}`, origin };
      await this.grants.revokeOwn({ id, userId: user.id, kind: 'login' }, 'signed_out', by);
    }
    return { page: signedOutPage(where, query), cookies: [this.cookies.clear('session')] };
  }
}

function subject({ token: browser }: BrowserSession, request: string): FormSubject {
  return { form: 'sign-out', browser, request };
}
