import { z } from 'zod';

/** How a client says in a form who it is: the same at every endpoint where it has to. */
export const clientFields = {
  client_id: z.string().optional().meta({
    description: 'With `client_secret`, instead of HTTP Basic; alone for a client that has none.',
  }),
  client_secret: z.string().optional().meta({ description: 'Never in the URL.', example: 'kcs_...' }),
  client_assertion_type: z.string().optional().meta({
    description: 'With `client_assertion`: `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.',
  }),
  client_assertion: z.string().optional().meta({
    description: 'In place of a secret: a JWT that the client has signed with its own key (RFC 7523), once.',
  }),
};
