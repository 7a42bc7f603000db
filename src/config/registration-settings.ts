import { duration, flag, integer, registration, resourceUris, scopesOfApps } from './parsers.js';
import { setting } from './setting.js';

const DAY = 86_400;

/** Clients that nobody here has added. */
export const REGISTRATION_SETTINGS = {
  REGISTRATION: setting(
    registration,
    'off',
    'who may register a client at `/oauth/register`: nobody (`off`), holders of an initial access token (`token`), anybody (`open`)',
  ),
  CLIENT_METADATA_DOCUMENTS: setting(
    flag,
    'false',
    'whether an HTTPS address may be a `client_id`: Keks reads there who the client is',
  ),
  REGISTRATION_SCOPE: setting(
    scopesOfApps,
    undefined,
    'the most that a client which registered itself may ask people for, space-separated; such clients get no other scope',
  ),
  REGISTRATION_RESOURCES: setting(
    resourceUris,
    undefined,
    'APIs beside `AUDIENCE` that such a client may ask tokens for, comma-separated',
  ),
  REGISTRATIONS_PER_ADDRESS: setting(
    integer(1, 100_000),
    '20',
    'attempts to register from one address in an hour, then 429',
  ),
  MAX_REGISTERED_CLIENTS: setting(
    integer(1, 1_000_000),
    '1000',
    'clients that registered themselves, in all; a further one is refused',
  ),
  REGISTRATION_UNUSED_TTL: setting(
    duration(60, 400 * DAY),
    '1d',
    'how long such a client stays while nobody has let it in',
  ),
};
