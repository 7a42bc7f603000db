import { isLoopback } from '../../../config/loopback.js';
import { Refusal, WrongUsage } from '../../refusal.js';

const PATIENCE_MS = 10_000;

/** The members of the metadata (RFC 8414) that are used here. */
export interface Authority {
  readonly issuer: string;
  readonly token_endpoint: string;
  readonly device_authorization_endpoint: string;
  readonly revocation_endpoint: string;
}

/** An answer of an endpoint: its status, and what it says, member by member. */
export interface Said {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Tokens come this way: HTTPS, or this computer. @throws WrongUsage */
export function serverOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || url.username || url.password || url.search || url.hash || !isSafe(url))
    throw new WrongUsage(
      '--server takes the https address of a server, such as https://auth.example.com; http only on this computer.',
    );
  return url.href.replace(/\/+$/, '');
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/** @throws Refusal if there is no authority, or if it has another issuer than the one asked for (RFC 8414 §3.3) */
export async function discover(server: string): Promise<Authority> {
  const { origin, pathname } = new URL(server);
  const path = `/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
  const { status, body } = await ask(`${origin}${path}`, { method: 'GET' });
  if (status !== 200 || body['issuer'] !== server)
    throw new Refusal(
      'invalid_request',
      `${server} does not say that it is an authority of this address: give the address that its ISSUER has.`,
    );
  const named = (name: keyof Authority): string => {
    const address = body[name];
    if (typeof address !== 'string' || !URL.canParse(address) || !isSafe(new URL(address)))
      throw new Refusal(
        'invalid_request',
        `${server} has no ${name.replaceAll('_', ' ')}: is it older than this program?`,
      );
    return address;
  };
  return {
    issuer: server,
    token_endpoint: named('token_endpoint'),
    device_authorization_endpoint: named('device_authorization_endpoint'),
    revocation_endpoint: named('revocation_endpoint'),
  };
}

/** @throws Refusal when nothing answers */
export function sendForm(url: string, form: Readonly<Record<string, string>>): Promise<Said> {
  return ask(url, { method: 'POST', body: new URLSearchParams(form) });
}

async function ask(url: string, init: RequestInit): Promise<Said> {
  try {
    const answer = await fetch(url, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const body: unknown = await answer.json().catch(() => undefined);
    return { status: answer.status, body: isRecord(body) ? body : {} };
  } catch (error) {
    throw new Refusal('temporarily_unavailable', `Nothing answers at ${new URL(url).origin}.`, {
      cause: error,
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
