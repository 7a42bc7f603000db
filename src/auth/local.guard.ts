import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { requireShape } from '../http/body/schema-pipe.js';
import { WireError } from '../http/errors/wire-error.js';
import { issueRequest } from './auth.schemas.js';

interface LoginRequest {
  body: unknown;
}

/** Guards POST /issue: checks the shape, then the credentials. Passes on an error of the database: it gives no 401. */
@Injectable()
export class LocalGuard extends AuthGuard('local') {
  /** Checks the shape first: if the body has no credentials, passport-local would look for them in the query string. */
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
