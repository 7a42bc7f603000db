import { Guarded } from '../../guard/swagger.js';
import { ADMIN_SCOPE } from '../scope.js';

/** Routes of operators. A login, a key or a client may use them: whoever was given the scope. */
export const ForAdmins = (): ClassDecorator & MethodDecorator => Guarded(ADMIN_SCOPE);
