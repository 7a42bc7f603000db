import { Injectable } from '@nestjs/common';
import type { Outcome } from '../authorize/outcome.js';
import { givable } from '../authorize/requested-access.js';
import type { RequestOrigin } from '../request-origin.js';
import { DeviceDecisions } from './device-decisions.js';
import { DeviceForms, queryOf } from './device-forms.js';
import { DevicePeople } from './device-people.js';
import { DeviceSearch } from './device-search.js';
import { readUserCode, shownUserCode } from './user-codes.js';

/** One request from a person's browser to /device. */
export interface DeviceVisit {
  readonly cookie: string | undefined;
  readonly origin: RequestOrigin;
}

/** What every form sends back. */
interface Form {
  readonly proof: string;
  /** The user code, as the person typed it or as the address had it. */
  readonly code: string | undefined;
}

/** Owns the steps from a typed user code to the person's decision (RFC 8628 §3.3); never what the device then gets. */
@Injectable()
export class DeviceFlow {
  constructor(
    private readonly search: DeviceSearch,
    private readonly decisions: DeviceDecisions,
    private readonly people: DevicePeople,
    private readonly forms: DeviceForms,
  ) {}

  /** Never looks up the code of the address: a person must confirm it first (RFC 8628 §3.3.1). @throws Unavailable */
  async ask(code: string | undefined, signInAgain: boolean, { cookie }: DeviceVisit): Promise<Outcome> {
    const session = await this.people.find(cookie);
    if (!session || signInAgain) return this.forms.login(tidy(code), cookie);
    return this.forms.code(session, tidy(code));
  }

  /** @throws WireError too_many_requests; Unavailable */
  async signIn(
    { proof, code }: Form,
    login: { readonly user: string; readonly password: string },
    { cookie, origin }: DeviceVisit,
  ): Promise<Outcome> {
    const shown = tidy(code);
    const flaw = this.forms.loginFlaw(proof, shown, cookie);
    if (flaw) return { trouble: flaw, again: queryOf(shown) };
    const token = await this.people.signIn(login, cookie, origin);
    if (token === undefined) return this.forms.login(shown, cookie, true);
    const { cookies } = this.forms;
    return { onwards: queryOf(shown), cookies: [cookies.set('session', token), this.forms.newVisit()] };
  }

  /** @throws WireError too_many_requests; Unavailable */
  async enter({ proof, code: typed }: Form, { cookie, origin }: DeviceVisit): Promise<Outcome> {
    const session = await this.people.find(cookie);
    if (!session) return { trouble: 'signed_out', again: queryOf(tidy(typed)) };
    const flaw = this.forms.codeFlaw(proof, session);
    if (flaw) return { trouble: flaw, again: queryOf(tidy(typed)) };
    const found = await this.search.tryCode(typed ?? '', session.user, origin);
    if (!found) return this.forms.code(session, typed ?? '', 'unknown');
    const scope = givable(found.device.scope, session.user.scope);
    if (!scope) return this.forms.code(session, '', 'nothing');
    return this.forms.consent(found, scope, session);
  }

  /** @throws Unavailable */
  async decide(
    { proof, code: shown = '' }: Form,
    allow: boolean,
    { cookie, origin }: DeviceVisit,
  ): Promise<Outcome> {
    const session = await this.people.find(cookie);
    if (!session) return { trouble: 'signed_out', again: queryOf(shown) };
    const flaw = this.forms.consentFlaw(proof, shown, session);
    if (flaw) return { trouble: flaw, again: queryOf(shown) };
    const device = (await this.search.again(shown))?.device;
    const scope = device && givable(device.scope, session.user.scope);
    if (!device || !scope) return this.forms.code(session, '', 'unknown');
    const done = allow
      ? await this.decisions.allow(device, session, scope, origin)
      : await this.decisions.deny(device, `user:${session.user.name}`, origin);
    return done
      ? this.forms.decided(device.client.name, allow, session)
      : this.forms.code(session, '', 'unknown');
  }
}

/** Spells a possible user code as people see it; empty for any other text. */
function tidy(code: string | undefined): string {
  const read = readUserCode(code ?? '');
  return read === undefined ? '' : shownUserCode(read);
}
