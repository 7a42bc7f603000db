import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HookReply, HookRequest, OnRequestHook } from 'keks-guard/fastify';
import type { JwtValidator } from 'keks-guard/jwt';
import type { AddressInfo, Server } from 'node:net';

/** What this API is, to whom tokens are shown and to the authority. */
export interface LeaseGuardOptions {
  readonly realm: string;
  readonly issuer: string;
  readonly audience: string;
  readonly resourceMetadata?: string | undefined;
}

export const LEASE_GUARD_OPTIONS = Symbol('LEASE_GUARD_OPTIONS');

/** As which client it asks the authority. */
export abstract class ApiClient {
  abstract credentials(): Promise<{ readonly clientId: string; readonly clientSecret: string }>;
}

interface Running {
  readonly validator: JwtValidator;
  readonly hook: OnRequestHook;
}

/** So long after somebody has played the story, the guard gives its lease back: a server that nobody looks at asks nothing. */
const IDLE_MS = 60_000;
const TIMEOUT_MS = 10_000;

/**
 * Owns the guard that checks JWTs alone, as one in another program would: all that it knows of the authority comes over HTTP.
 * It never looks into this process.
 */
@Injectable()
export class LeaseGuard implements OnModuleDestroy {
  private running: Promise<Running> | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    @Inject(LEASE_GUARD_OPTIONS) private readonly options: LeaseGuardOptions,
    private readonly client: ApiClient,
    private readonly adapters: HttpAdapterHost,
  ) {}

  /** @returns false if the request has been answered with a refusal */
  async admits(request: HookRequest, reply: HookReply): Promise<boolean> {
    const { hook } = await this.started();
    return (await hook(request, reply)) === undefined;
  }

  /** Milliseconds left of its lease, entries, and what has answered. */
  async state(): Promise<JwtValidator['lease']> {
    return (await this.started()).validator.lease;
  }

  /** While its authority, which is this server, still answers. */
  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  private started(): Promise<Running> {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => void this.stop(), IDLE_MS).unref();
    this.running ??= this.start();
    this.running.catch(() => (this.running = undefined));
    return this.running;
  }

  private async start(): Promise<Running> {
    // most servers play no story
    const [{ bearerGuard }, { JwtValidator }] = await Promise.all([
      import('keks-guard/fastify'),
      import('keks-guard/jwt'),
    ]);
    const { issuer, audience, realm, resourceMetadata } = this.options;
    const authority = `http://${this.address()}`;
    const validator = new JwtValidator({
      issuer,
      audience,
      ...(await this.client.credentials()),
      jwksUri: `${authority}/.well-known/jwks.json`,
      introspectionEndpoint: `${authority}/oauth/introspect`,
      revocationsEndpoint: `${authority}/oauth/revocations`,
      revocations: 'exact',
      timeoutMs: TIMEOUT_MS,
      // it is this machine, under whatever address it listens
      allowHttp: true,
    });
    return { validator, hook: bearerGuard({ realm, resourceMetadata, audience, validator })('cookies:eat') };
  }

  private async stop(): Promise<void> {
    clearTimeout(this.idle);
    const { running } = this;
    this.running = undefined;
    await running?.then(({ validator }) => validator.onApplicationShutdown()).catch(() => undefined);
  }

  private address(): string {
    const server: Server = this.adapters.httpAdapter.getHttpServer();
    const { address, port } = server.address() as AddressInfo;
    const host = ['0.0.0.0', '::'].includes(address) ? '127.0.0.1' : address;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }
}
