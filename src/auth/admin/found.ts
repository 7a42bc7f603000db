import { WireError } from '../../http/errors/wire-error.js';

/** @throws WireError not_found */
export function found<T>(row: T | null | undefined): T {
  if (row === undefined || row === null) throw new WireError('not_found');
  return row;
}
