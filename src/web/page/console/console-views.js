/** What the console consists of, in the order of its menu. */
import { openAudit } from './console-audit.js';
import { openClients } from './console-clients.js';
import { openConsents } from './console-consents.js';
import { openGrants } from './console-grants.js';
import { openGuards } from './console-guards.js';
import { openInitialTokens } from './console-initial-tokens.js';
import { openKeys } from './console-keys.js';
import { openNumbers } from './console-numbers.js';
import { openPassword } from './console-password.js';
import { openReceivers } from './console-receivers.js';
import { openSessions } from './console-sessions.js';
import { openStory } from './console-story.js';
import { openUsers } from './console-users.js';

export const ACCOUNT = [
  { name: 'sessions', label: 'Sessions', open: openSessions },
  { name: 'keys', label: 'API keys', open: openKeys },
  { name: 'consents', label: 'Consents', open: openConsents },
  { name: 'password', label: 'Password', open: openPassword },
];

/** Shown to those who have the scope; the server decides anyway. */
export const ADMIN = [
  { name: 'numbers', label: 'Numbers', open: openNumbers },
  { name: 'users', label: 'Users', open: openUsers },
  { name: 'clients', label: 'Clients', open: openClients },
  { name: 'initial-tokens', label: 'Initial access tokens', open: openInitialTokens },
  { name: 'grants', label: 'Grants', open: openGrants },
  { name: 'guards', label: 'Guards', open: openGuards },
  { name: 'receivers', label: 'Receivers', open: openReceivers },
  { name: 'audit', label: 'Audit log', open: openAudit },
  { name: 'story', label: 'Story of a token', open: openStory },
];
