import { z } from 'zod';
import { passwordText } from '../auth.schemas.js';

/** The forms of the pages below /oauth/authorize. */

const state = { request: z.string(), proof: z.string() };

export const loginForm = z.object({ ...state, user: z.string().min(1), password: passwordText });

export const signOutForm = z.object({ request: z.string().default(''), proof: z.string() });

export const consentForm = z.object({
  ...state,
  decision: z.enum(['allow', 'deny']),
  remember: z.string().optional(),
});
