import type { PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { Guarded } from 'keks-guard/swagger';
import { WireError } from '../../http/errors/wire-error.js';
import { ADMIN_SCOPE, isGrantable, parseScope } from '../scope.js';

/** Routes of operators. A login, a key or a client may use them: whoever was given the scope. */
export const ForAdmins = (): ClassDecorator & MethodDecorator => Guarded(ADMIN_SCOPE);

/** For a client's id in a path: what cannot be one is simply not there. */
export class ClientIdPipe implements PipeTransform<string, string> {
  transform(text: string): string {
    if (!/^[!-~]{1,256}$/.test(text)) throw new WireError('not_found');
    return text;
  }
}

/** Documents such a path. */
export const ApiClientId = (): MethodDecorator =>
  ApiParam({ name: 'id', description: 'The `client_id`.', schema: { type: 'string' } });

/** @throws WireError not_found */
export function found<T>(row: T | null | undefined): T {
  if (row === undefined || row === null) throw new WireError('not_found');
  return row;
}

/** What an operator wants to give. @throws WireError invalid_scope for what is malformed, and for what nobody can be given */
export function requestedScope(text: string): string[] {
  const scope = parseScope(text);
  if (!scope?.every(isGrantable)) throw new WireError('invalid_scope');
  return scope;
}
