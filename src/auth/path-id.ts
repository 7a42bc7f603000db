import { applyDecorators, type PipeTransform } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { WireError } from '../http/errors/wire-error.js';
import { isUuid } from './uuid.js';

/** For the id in a path: a text that is no UUID gives `not_found`. */
export class UuidPipe implements PipeTransform<string, string> {
  transform(text: string): string {
    if (!isUuid(text)) throw new WireError('not_found');
    return text.toLowerCase();
  }
}

/** Documents such an id in the OpenAPI description. */
export const ApiUuid = (name: string, description: string): MethodDecorator =>
  applyDecorators(ApiParam({ name, description, schema: { type: 'string', format: 'uuid' } }));
