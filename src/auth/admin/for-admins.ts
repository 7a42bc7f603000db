import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { RequireScope } from '../../guard/principal.js';
import { ADMIN_SCOPE } from '../scope.js';

/** Routes of operators. A login, a key or a client may use them: whoever was given the scope. */
export const ForAdmins = (): ClassDecorator & MethodDecorator =>
  applyDecorators(RequireScope(ADMIN_SCOPE), ApiBearerAuth('bearer'));
