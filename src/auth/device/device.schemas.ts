import { z } from 'zod';
import { passwordText } from '../auth.schemas.js';
import { clientFields } from '../clients/client-fields.js';

/** The wire shapes of the device grant (RFC 8628), and the forms of the pages below /device. */

export const deviceRequest = z
  .object({
    scope: z.string().optional().meta({
      description:
        'Space-separated; all that the client has if absent. `offline_access` adds a refresh token.',
      example: 'cookies:eat',
    }),
    resource: z
      .string()
      .optional()
      .meta({ description: 'The API that the token is for (RFC 8707); one at most.' }),
    ...clientFields,
  })
  .meta({ id: 'DeviceAuthorizationRequest' });

export const deviceAnswer = z
  .object({
    device_code: z
      .string()
      .meta({ description: 'For the token endpoint; show it to nobody.', example: 'kdc_...' }),
    user_code: z.string().meta({ description: 'Show it, letter by letter.', example: 'BCD-FGH-JKL' }),
    verification_uri: z
      .url()
      .meta({ description: 'Where people type it.', example: 'https://auth.example.com/device' }),
    verification_uri_complete: z.url().meta({
      description: 'The same with the code in it, for a QR code.',
      example: 'https://auth.example.com/device?user_code=BCD-FGH-JKL',
    }),
    expires_in: z.int().positive().meta({ description: 'Seconds.', example: 600 }),
    interval: z
      .int()
      .positive()
      .meta({ description: 'Seconds between two requests at the token endpoint.', example: 5 }),
  })
  .meta({ id: 'DeviceAuthorizationAnswer' });

/** An empty field of a form counts as absent. */
const userCode = z.string().max(100).optional();

export const deviceLoginForm = z.object({
  request: userCode,
  proof: z.string(),
  user: z.string().min(1),
  password: passwordText,
});

export const deviceCodeForm = z.object({ proof: z.string(), user_code: userCode });

export const deviceConsentForm = z.object({
  request: z.string(),
  proof: z.string(),
  decision: z.enum(['allow', 'deny']),
});

export type DeviceRequest = z.infer<typeof deviceRequest>;
export type DeviceAnswerBody = z.infer<typeof deviceAnswer>;
