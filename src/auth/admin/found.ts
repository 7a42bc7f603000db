import { WireError } from '../../http/errors/wire-error.js';

/** @throws WireError not_found */
export function found<T>(row: T | undefined): T {
  if (row === undefined) throw new WireError('not_found');
  return row;
}
