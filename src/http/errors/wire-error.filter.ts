import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { OnceASecond } from 'keks-guard/internals';
import type { Logger } from 'pino';
import type { Challenges } from './challenge.js';
import { sendError, toWireError } from './error-answer.js';
import { errorRecord } from './error-record.js';

/** The last filter: an error that no other filter has caught is answered in the one error shape. */
@Catch()
export class WireErrorFilter implements ExceptionFilter {
  private readonly outages = new OnceASecond<object>((record, unsaid) =>
    this.logger?.warn({ ...record, ...(unsaid > 0 && { unsaid }) }, 'could not answer'),
  );

  constructor(
    private readonly challenges: Challenges,
    private readonly logger: Logger | undefined,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also for requests that Fastify refuses before Nest sees them. */
  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toWireError(thrown);
    if (error.getStatus() >= 500) this.log(error.getStatus(), thrown, request);
    if (reply.sent || reply.raw.headersSent) {
      // Half an answer cannot be taken back. A cut connection at least does not look like a whole answer.
      reply.raw.destroy();
      return;
    }
    sendError(reply, error, this.challenges);
  }

  private log(status: number, thrown: unknown, request: FastifyRequest): void {
    const record = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions?.url,
      status,
      error: errorRecord(thrown),
    };
    if (status === 503) this.outages.say(record);
    else this.logger?.error(record, 'request failed');
  }
}
