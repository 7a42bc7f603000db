import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse } from '@nestjs/swagger';

/** Documents a page for people. */
export const ApiPage = (summary: string, description: string): MethodDecorator =>
  applyDecorators(
    ApiOperation({ summary, description, tags: ['pages'] }),
    ApiProduces('text/html'),
    ApiResponse({
      status: 200,
      description: 'The page.',
      content: { 'text/html': { schema: { type: 'string' }, example: '<!doctype html>...' } },
    }),
  );
