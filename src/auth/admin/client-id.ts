import type { PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { WireError } from '../../http/errors/wire-error.js';

/** For a client's id in a path: what cannot be one is simply not there. */
export class ClientIdPipe implements PipeTransform<string, string> {
  transform(text: string): string {
    if (!/^[!-~]{1,128}$/.test(text)) throw new WireError('not_found');
    return text;
  }
}

/** Documents it. */
export const ApiClientId = (): MethodDecorator =>
  ApiParam({ name: 'id', description: 'The `client_id`.', schema: { type: 'string' } });
