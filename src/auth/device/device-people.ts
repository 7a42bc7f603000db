import { Injectable } from '@nestjs/common';
import { BrowserCookies } from '../authorize/browser-cookies.js';
import { BrowserLogins } from '../authorize/browser-logins.js';
import { BrowserSessions, type BrowserSession } from '../authorize/browser-sessions.js';
import type { RequestOrigin } from '../request-origin.js';

/** Finds the person at the browser, or signs them in. The session is the same as on the consent pages. */
@Injectable()
export class DevicePeople {
  constructor(
    private readonly cookies: BrowserCookies,
    private readonly sessions: BrowserSessions,
    private readonly logins: BrowserLogins,
  ) {}

  /** @throws Unavailable */
  find(cookie: string | undefined): Promise<BrowserSession | undefined> {
    return this.sessions.find(this.cookies.read(cookie, 'session'));
  }

  /**
   * @returns the token of a new session; undefined if the name or the password is wrong
   * @throws WireError too_many_requests; Unavailable
   */
  async signIn(
    login: { readonly user: string; readonly password: string },
    cookie: string | undefined,
    origin: RequestOrigin,
  ): Promise<string | undefined> {
    return this.logins.begin(login, await this.find(cookie), origin);
  }
}
