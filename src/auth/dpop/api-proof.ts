import { ApiHeader } from '@nestjs/swagger';

/** Documents a route whose handler takes a `@ProvenKey()`. */
export const ApiProof = (): MethodDecorator =>
  ApiHeader({
    name: 'DPoP',
    required: false,
    description:
      'A proof of possession (RFC 9449 §4): a JWT that is made for this one request. What is issued is then bound to its key.',
    schema: { type: 'string' },
  }) as MethodDecorator;
