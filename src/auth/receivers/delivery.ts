import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { parseJson } from '../../http/body/json-parser.js';
import { bodyOf, ForbiddenAddress, pinnedRequest } from '../outbound/pinned-request.js';
import type { ClaimedRow } from './deliveries.sql.js';
import { ReceiverRules } from './receiver-rules.js';
import { SealedAuthorizations } from './sealed-authorizations.js';

/**
 * The outcome of one attempt. `never`: do not try again. `why` is for operators: our text, a status or an error code.
 */
export type Outcome =
  { readonly taken: true } | { readonly taken: false; readonly never: boolean; readonly why: string };

const MOST_BYTES = 4_096;
/** RFC 8935 §2.4: errors of our access, not of the event. They may be mended soon, so the event is kept. */
const MENDABLE = ['authentication_failed', 'access_denied'];

/** Sends one event in one POST (RFC 8935 §2). */
@Injectable()
export class Delivery {
  constructor(
    private readonly rules: ReceiverRules,
    private readonly sealed: SealedAuthorizations,
  ) {}

  async send(
    event: string,
    { id, url: address, sealed_authorization: sealed }: ClaimedRow,
  ): Promise<Outcome> {
    const authorization = sealed ? this.sealed.open(id, sealed) : undefined;
    if (sealed && authorization === undefined)
      return failed('its authorization is encrypted under a SECRET_KEY that is not here');
    const headers = {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      'content-length': String(Buffer.byteLength(event)),
      ...(authorization !== undefined && { authorization }),
    };
    try {
      const over = AbortSignal.timeout(this.rules.mostMs);
      const url = new URL(address);
      return await pinnedRequest(
        { url, rules: this.rules, over, method: 'POST', headers, body: event },
        outcomeOf,
      );
    } catch (error) {
      return failed(this.wordsOf(error));
    }
  }

  private wordsOf(error: unknown): string {
    if (error instanceof ForbiddenAddress)
      return 'its address is not a public one, and RECEIVERS_PRIVATE_ADDRESSES does not allow it';
    if (!(error instanceof Error)) return 'it could not be reached';
    if (error.name === 'TimeoutError' || error.name === 'AbortError')
      return `it did not answer within ${this.rules.mostMs / 1_000} s`;
    const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
    return /^[A-Z][A-Z0-9_]{1,60}$/.test(code)
      ? `it could not be reached (${code})`
      : 'it could not be reached';
  }
}

function failed(why: string): Outcome {
  return { taken: false, never: false, why };
}

async function outcomeOf(answer: IncomingMessage): Promise<Outcome> {
  const { statusCode: status = 0 } = answer;
  if (status === 202) return { taken: true };
  const told = status === 400 ? await errorOf(answer) : undefined;
  if (told === undefined) return failed(`it answered ${status}, and not 202`);
  return { taken: false, never: !MENDABLE.includes(told), why: `it refused the event (${told})` };
}

/** The error code of a refusal (RFC 8935 §2.3). The description is text of somebody else, so it is not repeated. */
async function errorOf(answer: IncomingMessage): Promise<string | undefined> {
  const body = await bodyOf(answer, MOST_BYTES);
  try {
    const { err } = body ? parseJson(body) : {};
    if (typeof err !== 'string') return undefined;
    return /^[a-z][a-z0-9_]{0,39}$/.test(err) ? err : 'for a reason of its own';
  } catch {
    return undefined;
  }
}
