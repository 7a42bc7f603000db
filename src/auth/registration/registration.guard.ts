import {
  createParamDecorator,
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { BearerError } from 'keks-guard';
import { bearerToken, type RawRequest } from 'keks-guard/internals';
import { CONFIG, type Config } from '../../config/config.js';
import { originOf, type HttpRequest } from '../request-origin.js';
import { RegistrationThrottle } from '../throttle/registration-throttle.js';
import { InitialAccessTokens } from './initial-access-tokens.js';
import { Registrations, type Registration } from './registrations.js';

const REGISTRATION = Symbol('keks:registration');
const INITIAL_TOKEN = Symbol('keks:initial-token');

interface GuardedRequest extends HttpRequest {
  readonly raw: RawRequest;
  readonly params: Readonly<Record<string, string>>;
  [REGISTRATION]?: Registration;
  [INITIAL_TOKEN]?: string;
}

/**
 * Who may register a client (RFC 7591 §3): anybody, or only holders of an initial access token. It runs before the body
 * is judged.
 */
@Injectable()
export class InitialTokenGuard implements CanActivate {
  constructor(
    private readonly throttle: RegistrationThrottle,
    private readonly initial: InitialAccessTokens,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws BearerError unauthorized, invalid_request, invalid_token; WireError too_many_requests; Unavailable */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    await this.throttle.admit(originOf(request).ip);
    if (this.config.REGISTRATION === 'open') return true;
    const token = presented(request, this.config);
    if (!(await this.initial.isGood(token)))
      throw new BearerError('invalid_token', { realm: this.config.REALM });
    request[INITIAL_TOKEN] = token;
    return true;
  }
}

/** A client at its own registration (RFC 7592 §2): only the token of that registration opens it. */
@Injectable()
export class RegistrationTokenGuard implements CanActivate {
  constructor(
    private readonly registrations: Registrations,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws BearerError unauthorized, invalid_request, invalid_token; Unavailable */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const token = presented(request, this.config);
    const found = await this.registrations.find(request.params['client_id'] ?? '', token);
    if (!found) throw new BearerError('invalid_token', { realm: this.config.REALM });
    request[REGISTRATION] = found;
    return true;
  }
}

function presented({ raw }: GuardedRequest, { REALM }: Config): string {
  const token = bearerToken(raw);
  if (token.kind === 'token') return token.token;
  throw new BearerError(token.kind === 'none' ? 'unauthorized' : 'invalid_request', { realm: REALM });
}

export const CurrentRegistration = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<GuardedRequest>()[REGISTRATION],
);

/** Undefined where anybody may register. */
export const CurrentInitialToken = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<GuardedRequest>()[INITIAL_TOKEN],
);
