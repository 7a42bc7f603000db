import {
  applyDecorators,
  Inject,
  Injectable,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { BearerError, type Principal } from 'keks-guard';
import { PRINCIPAL } from 'keks-guard/internals';
import { Guarded } from 'keks-guard/swagger';
import { CONFIG, type Config } from '../../config/config.js';
import { resourceChallenge } from '../discovery/well-known.js';
import { ACCOUNT_SCOPE } from '../scope.js';

/**
 * Runs behind the bearer guard, and lets in only the tokens of a login. A key or a client has no account, whatever its scope
 * says.
 */
@Injectable()
export class LoginGuard implements CanActivate {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const { [PRINCIPAL]: principal } = context.switchToHttp().getRequest<{ [PRINCIPAL]?: Principal }>();
    // an API that acts for somebody who has logged in has not
    if (principal?.grantKind === 'login' && !principal.actors) return true;
    throw new BearerError('insufficient_scope', resourceChallenge(this.config), [ACCOUNT_SCOPE]);
  }
}

/** Routes on which people look after their own account. */
export const OwnAccount = (): ClassDecorator & MethodDecorator =>
  applyDecorators(Guarded(ACCOUNT_SCOPE), UseGuards(LoginGuard));
