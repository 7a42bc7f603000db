import type { Ledger } from './history.js';
import type { Kind, Made, Operation, Proof } from './operation.js';
import { SERVERS } from './world.js';
import { Requests, type Reply, type Sent } from './requests.js';

export interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
}

/** How something that is bound to a key is shown: with the text of a proof, or without. */
export interface Shown {
  readonly proof: Proof;
  readonly dpop?: string;
}

interface Asked {
  readonly server: number;
  readonly token?: string | undefined;
  readonly tokens?: readonly string[];
  readonly shown?: Shown | undefined;
}

/** One who uses two servers, and writes down what was asked and what came back. */
export class Client {
  private readonly requests = new Requests();

  constructor(
    private readonly urls: readonly string[],
    private readonly ledger: Ledger,
    private readonly credentials: Credentials,
  ) {}

  issue(server: number, shown?: Shown): Promise<Operation> {
    const form = { grant_type: 'client_credentials', ...this.credentials };
    return this.record('issue', { server, shown }, '/oauth/token', { form });
  }

  login(server: number, user: string, password: string): Promise<Operation> {
    const json = { user, password, scope: 'offline_access' };
    return this.record('login', { server }, '/issue', { json });
  }

  validate(server: number, token: string, shown?: Shown): Promise<Operation> {
    const scheme = shown === undefined || shown.proof === 'none' ? 'Bearer' : 'DPoP';
    const headers = { authorization: `${scheme} ${token}` };
    return this.record('validate', { server, token, shown }, '/cookies', { headers });
  }

  validateEverywhere(tokens: readonly string[]): Promise<unknown> {
    return Promise.all(tokens.flatMap((token) => SERVERS.map((server) => this.validate(server, token))));
  }

  revoke(server: number, token: string): Promise<Operation> {
    this.ledger.begin(token, performance.now());
    return this.record('revoke', { server, token }, '/revoke', { json: { token } });
  }

  /** Out everywhere: whoever has this token also has these. */
  endAll(server: number, token: string, tokens: readonly string[]): Promise<Operation> {
    for (const one of tokens) this.ledger.begin(one, performance.now());
    const sent = { method: 'DELETE', headers: { authorization: `Bearer ${token}` } };
    return this.record('end', { server, token, tokens }, '/sessions', sent);
  }

  /** @param clientId of a client without a secret, which has only its name to say */
  refresh(server: number, token: string, clientId?: string, shown?: Shown): Promise<Operation> {
    const client = clientId === undefined ? {} : { client_id: clientId };
    const form = { grant_type: 'refresh_token', refresh_token: token, ...client };
    return this.record('refresh', { server, token, shown }, '/oauth/token', { form });
  }

  /** With one that somebody has used already, and its successor too. */
  steal(server: number, token: string, clientId: string, shown?: Shown): Promise<Operation> {
    this.ledger.begin(token, performance.now());
    return this.refresh(server, token, clientId, shown);
  }

  /** A login for another API. */
  loginAt(server: number, user: string, password: string, resource: string): Promise<Operation> {
    const json = { user, password, resource, scope: 'cookies:eat offline_access' };
    return this.record('login', { server }, '/issue', { json });
  }

  /** That API makes one of its own from it (RFC 8693). */
  exchange(server: number, token: string, api: Credentials, resource: string): Promise<Operation> {
    const { client_id, client_secret } = api;
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      ...{ resource, client_id, client_secret },
    };
    return this.record('exchange', { server, token }, '/oauth/token', { form });
  }

  redeemCode(
    server: number,
    code: string,
    form: Readonly<Record<string, string>>,
    shown?: Shown,
  ): Promise<Operation> {
    if (shown === undefined || shown.proof === 'own') this.ledger.show(code, performance.now());
    const all = { grant_type: 'authorization_code', code, ...form };
    return this.record('code', { server, token: code, shown }, '/oauth/token', { form: all });
  }

  redeemDeviceCode(server: number, code: string, clientId: string, shown?: Shown): Promise<Operation> {
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
    const form = { grant_type, device_code: code, client_id: clientId };
    return this.record('device', { server, token: code, shown }, '/oauth/token', { form });
  }

  /** Nothing of what a client has got for these codes counts any more. */
  withdraw(server: number, login: string, clientId: string, codes: readonly string[]): Promise<Operation> {
    for (const code of codes) this.ledger.begin(code, performance.now());
    const sent = { method: 'DELETE', headers: { authorization: `Bearer ${login}` } };
    return this.record('withdraw', { server, tokens: codes }, `/consents/${clientId}`, sent);
  }

  logInAs(server: number, user: string, password: string): Promise<Operation> {
    return this.record('own login', { server }, '/issue', { json: { user, password } });
  }

  makeKey(server: number, token: string, password: string): Promise<Operation> {
    const json = { label: 'x', password };
    return this.record('key', { server }, '/keys', { json, headers: { authorization: `Bearer ${token}` } });
  }

  changePassword(server: number, token: string, old: string, wanted: string): Promise<Operation> {
    const json = { old_password: old, new_password: wanted };
    const headers = { authorization: `Bearer ${token}` };
    return this.record('password', { server }, '/password', { json, headers, method: 'PUT' });
  }

  close(): void {
    this.requests.close();
  }

  private async record(kind: Kind, asked: Asked, path: string, sent: Sent): Promise<Operation> {
    const { server, token, tokens = [], shown } = asked;
    const dpop = shown?.dpop;
    const headers = { ...sent.headers, ...(dpop === undefined ? {} : { dpop }) };
    const invoked = performance.now();
    const reply = await this.requests
      .send(`${this.urls[server]}${path}`, { ...sent, headers })
      .catch(() => undefined);
    const operation: Operation = {
      ...{ kind, server, token, tokens, proof: shown?.proof, invoked },
      completed: reply ? performance.now() : undefined,
      status: reply?.status,
      error: textIn(reply, 'error'),
      made: madeIn(reply),
    };
    this.ledger.note(operation);
    return operation;
  }
}

function madeIn(reply: Reply | undefined): Made | undefined {
  const access = textIn(reply, 'access_token') ?? textIn(reply, 'token') ?? textIn(reply, 'key');
  const refresh = textIn(reply, 'refresh_token');
  const bound = textIn(reply, 'token_type') === 'DPoP';
  return access === undefined ? undefined : { access, bound, ...(refresh === undefined ? {} : { refresh }) };
}

function textIn(reply: Reply | undefined, name: string): string | undefined {
  const value = reply?.body?.[name];
  return typeof value === 'string' ? value : undefined;
}
