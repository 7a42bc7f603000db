import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { DPOP_ALGORITHMS } from './dpop-key.js';

/** What an API says about itself, and who issues tokens for it. */
export interface ResourceOptions {
  /** The address of this API, letter by letter as in the audience of tokens: https, without query and fragment. */
  readonly resource: string;
  /** The issuers of those tokens. */
  readonly authorizationServers: readonly string[];
  /** The scopes that its routes ask for. */
  readonly scopes?: readonly string[];
}

/** What the API says about proofs (RFC 9728 §2). */
export interface ProofsWanted {
  readonly required: boolean;
}

/** RFC 9728 §3.1: the well-known part goes between host and path. @throws TypeError for what is no such address */
export function resourceMetadataAddress(resource: string): URL {
  const url = new URL(resource);
  if (!/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || /[?#]/.test(resource))
    throw new TypeError('the resource of an API is an http(s) address without query and fragment');
  const path = url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '');
  return new URL(`/.well-known/oauth-protected-resource${path}`, url.origin);
}

/**
 * Serves the document (RFC 9728 §3.2) to everybody: a caller without a token learns from it where to get one. It is no controller,
 * because a global prefix or a default version of the API would move it away from where RFC 9728 and every challenge say it is.
 */
@Injectable()
export class ResourceMetadata implements OnModuleInit {
  constructor(
    private readonly adapters: HttpAdapterHost,
    private readonly options: ResourceOptions,
    private readonly proofs?: ProofsWanted,
  ) {}

  onModuleInit(): void {
    const { httpAdapter } = this.adapters;
    const document = this.document();
    httpAdapter.get(
      resourceMetadataAddress(this.options.resource).pathname,
      (_: unknown, response: unknown) => {
        httpAdapter.setHeader(response, 'Cache-Control', 'public, max-age=300');
        httpAdapter.reply(response, document, 200);
      },
    );
  }

  private document(): object {
    const { resource, authorizationServers, scopes } = this.options;
    return {
      resource,
      authorization_servers: [...authorizationServers],
      ...(scopes && { scopes_supported: [...scopes] }),
      bearer_methods_supported: ['header'],
      ...(this.proofs && {
        dpop_signing_alg_values_supported: [...DPOP_ALGORITHMS],
        dpop_bound_access_tokens_required: this.proofs.required,
      }),
    };
  }
}
