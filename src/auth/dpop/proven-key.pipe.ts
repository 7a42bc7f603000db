import { createParamDecorator, Injectable, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WireError } from '../../http/errors/wire-error.js';
import { AuthorityProofs } from './authority-proofs.js';

/** A request, and its answer, which may have to carry a nonce. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Owns the check of the proof that comes with a request for tokens (RFC 9449 §5), and the answer to a bad proof. */
@Injectable()
export class ProvenKeyPipe implements PipeTransform<Exchange, Promise<string | undefined>> {
  constructor(private readonly proofs: AuthorityProofs) {}

  /**
   * @returns the thumbprint of the key; undefined without a proof
   * @throws WireError invalid_dpop_proof, use_dpop_nonce; Unavailable
   */
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
 * In a handler's parameters: the thumbprint of the key of the request's proof, or undefined without a proof. What the
 * handler issues is bound to that key, also by way of a pushed request (RFC 9449 §10.1).
 */
export const ProvenKey = (): ParameterDecorator => CurrentExchange(ProvenKeyPipe);
