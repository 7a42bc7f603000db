import { WireError } from '../../http/errors/wire-error.js';
import { isGrantable, parseScope } from '../scope.js';

/** What an operator wants to give. @throws WireError invalid_scope for what is malformed, and for what nobody can be given */
export function requestedScope(text: string): string[] {
  const scope = parseScope(text);
  if (!scope?.every(isGrantable)) throw new WireError('invalid_scope');
  return scope;
}
