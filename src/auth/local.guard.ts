import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { requireShape } from '../http/body/schema-pipe.js';
import { WireError } from '../http/errors/wire-error.js';
import { issueRequest } from './auth.schemas.js';

interface LoginRequest {
  body: unknown;
}

/** In front of POST /issue: shape, then credentials. A fault of the database stays a fault and is no 401. */
@Injectable()
export class LocalGuard extends AuthGuard('local') {
  /** The shape comes first: passport-local would go on to look for credentials in the query string. */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<LoginRequest>();
    requireShape(issueRequest, request.body);
    return (await super.canActivate(context)) as boolean;
  }

  override handleRequest<U>(error: unknown, user: U | false): U {
    if (error) throw error;
    if (!user) throw new WireError('invalid_credentials');
    return user;
  }
}
