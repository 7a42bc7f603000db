/** What the console consists of, in the order of its menu. */
import { openKeys } from './console-keys.js';
import { openPassword } from './console-password.js';
import { openSessions } from './console-sessions.js';

export const ACCOUNT = [
  { name: 'sessions', label: 'Sessions', open: openSessions },
  { name: 'keys', label: 'API keys', open: openKeys },
  { name: 'password', label: 'Password', open: openPassword },
];

/** Shown to those who have the scope; the server decides anyway. */
export const ADMIN = [];
