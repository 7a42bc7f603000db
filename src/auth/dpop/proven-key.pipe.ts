import { createParamDecorator, Injectable, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WireError } from '../../http/errors/wire-error.js';
import { AuthorityProofs } from './authority-proofs.js';

/** A request, and its answer, which may have to carry a nonce. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Owns what is said to whoever asks for a token and brings a proof (RFC 9449 §5). */
@Injectable()
export class ProvenKeyPipe implements PipeTransform<Exchange, Promise<string | undefined>> {
  constructor(private readonly proofs: AuthorityProofs) {}

  /** @throws WireError invalid_dpop_proof, use_dpop_nonce; Unavailable */
  async transform({ request, reply }: Exchange): Promise<string | undefined> {
    if (request.headers['dpop'] === undefined) return undefined;
    const { flaw, nonce, ...proven } = await this.proofs.verify(request.raw);
    const headers: Record<string, string> = nonce === undefined ? {} : { 'DPoP-Nonce': nonce };
    if (flaw !== undefined) throw WireError.because(flaw, undefined, headers);
    reply.headers(headers);
    return 'jkt' in proven ? proven.jkt : undefined;
  }
}

const CurrentExchange = createParamDecorator((_: unknown, context: ExecutionContext): Exchange => {
  const http = context.switchToHttp();
  return { request: http.getRequest<FastifyRequest>(), reply: http.getResponse<FastifyReply>() };
});

/**
 * The thumbprint of the key that a proof came with, in a handler's parameters: what is asked for is to be bound to it, also by a
 * request that is pushed (RFC 9449 §10.1). Undefined if there is no proof.
 */
export const ProvenKey = (): ParameterDecorator => CurrentExchange(ProvenKeyPipe);
