import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HookReply, HookRequest, OnRequestHook } from 'keks-guard/fastify';
import type { JwtValidator } from 'keks-guard/jwt';
import type { AddressInfo, Server } from 'node:net';

/** How this API names itself to clients and to the authority. */
export interface LeaseGuardOptions {
  readonly realm: string;
  readonly issuer: string;
  readonly audience: string;
  readonly resourceMetadata?: string | undefined;
}

export const LEASE_GUARD_OPTIONS = Symbol('LEASE_GUARD_OPTIONS');

/** The client as which the guard asks the authority. */
export abstract class ApiClient {
  abstract credentials(): Promise<{ readonly clientId: string; readonly clientSecret: string }>;
}

interface Running {
  readonly validator: JwtValidator;
  readonly hook: OnRequestHook;
}

/**
 * Milliseconds after the last use of the story until the guard gives its lease back: a server that nobody uses asks
 * nothing.
 */
const IDLE_MS = 60_000;
const TIMEOUT_MS = 10_000;

/**
 * Owns the guard that checks JWTs alone, as a guard in another program does. All that it knows of the authority comes
 * over HTTP; it never looks into this process.
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

  /** The guard's lease: milliseconds left, entries, and how many verdicts came from where. */
  async state(): Promise<JwtValidator['lease']> {
    return (await this.started()).validator.lease;
  }

  /** Stops the guard while its authority, which is this server, still answers. */
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
    // loaded late, because most servers do not show the story
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
      // the authority is this machine, whatever address it listens on
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
