import { z } from 'zod';
import { clientFields } from '../clients/client-fields.js';

/** The wire shapes of POST /oauth/par (RFC 9126): the parameters of an authorization request, and who sends it. */

export const pushedRequest = z
  .object({
    response_type: z.string().optional().meta({ description: '`code`.', example: 'code' }),
    redirect_uri: z
      .string()
      .optional()
      .meta({ description: 'One that is registered.', example: 'https://app.example/done' }),
    scope: z.string().optional().meta({ description: 'Space-separated; all that the client has if absent.' }),
    state: z.string().optional().meta({ description: 'Comes back with the answer.' }),
    code_challenge: z.string().optional().meta({
      description: 'Required of everybody (RFC 7636).',
      example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    }),
    code_challenge_method: z.string().optional().meta({ description: '`S256`.', example: 'S256' }),
    prompt: z.string().optional(),
    response_mode: z.string().optional().meta({ description: '`query` or `form_post`.' }),
    resource: z.string().optional().meta({ description: 'Who the token is for (RFC 8707); one at most.' }),
    dpop_jkt: z.string().optional().meta({
      description:
        'The thumbprint of the key whose proof has to come with the code (RFC 9449 §10). A proof in the header `DPoP` says it as well.',
    }),
    request: z.string().optional().meta({ description: 'Not supported.' }),
    request_uri: z.string().optional().meta({ description: 'Never: a request is not pushed twice.' }),
    ...clientFields,
  })
  .meta({
    id: 'PushedAuthorizationRequest',
    example: {
      response_type: 'code',
      redirect_uri: 'https://app.example/done',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    },
  });

export const pushedAnswer = z
  .object({
    request_uri: z.string().meta({
      description: 'For `/oauth/authorize`, together with `client_id`.',
      example: 'urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c0f2nkkpJ8pZWh1zE',
    }),
    expires_in: z.int().positive().meta({ description: 'Seconds.', example: 90 }),
  })
  .meta({ id: 'PushedAuthorizationAnswer' });

export type PushedRequestBody = z.infer<typeof pushedRequest>;
export type PushedAnswerBody = z.infer<typeof pushedAnswer>;
