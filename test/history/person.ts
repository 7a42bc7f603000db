import { authorizePath, answerOf, pkce, Visitor } from '../support/visitor.js';
import type { Client } from './clients.js';
import type { Keys } from './proofs.js';
import type { Random } from './random.js';
import type { Scene } from './scene.js';
import { DONE, READER } from './setup.js';

/** What a person's yes has given to the client. */
export interface Given {
  readonly code: string;
  readonly form: Readonly<Record<string, string>>;
  /** Undefined where it is good for whoever has it. */
  readonly keys: Keys | undefined;
}

/** Somebody with a browser, who has logged in there and says yes. Whichever server a page comes from, the cookies are the same. */
export class Person {
  private readonly visitors: readonly Visitor[];
  private login: string | undefined;

  constructor(
    private readonly reading: Scene,
    private readonly random: Random,
  ) {
    const cookies = new Map<string, string>();
    this.visitors = reading.world.urls.map((url) => new Visitor(url, cookies));
  }

  /** A code, if all goes well. */
  async allow(keys: Keys | undefined): Promise<Given | undefined> {
    const visitor = this.random.pick(this.visitors);
    if (!visitor) return undefined;
    const { verifier, challenge } = pkce();
    const client = { client_id: this.reading.cast.app, redirect_uri: DONE };
    const path = authorizePath({
      ...client,
      ...{ code_challenge: challenge, scope: 'cookies:eat offline_access' },
      ...(keys && { dpop_jkt: keys.owner.jkt }),
    });
    let page = await visitor.open(path);
    if (page.text.includes('name="password"'))
      page = await visitor.signIn(page, READER.name, READER.password);
    if (page.status !== 200) return undefined;
    const { code } = answerOf(await visitor.submit(page, 'consent', { decision: 'allow' }));
    return code === undefined ? undefined : { code, form: { ...client, code_verifier: verifier }, keys };
  }

  async withdraw(client: Client, server: number, code: string): Promise<void> {
    this.login ??= (await client.logInAs(server, READER.name, READER.password)).made?.access;
    if (this.login === undefined) return;
    const { status } = await client.withdraw(server, this.login, this.reading.cast.app, [code]);
    if (status === 401) this.login = undefined;
  }
}
