import type { Trouble } from './pages.js';

/** Errors that are told to the person and not to the client, with what the person can do about them. */
export const TROUBLES = {
  unknown_client: {
    status: 400,
    title: 'Keks does not know who asks',
    text: 'The program that sent you here is not registered, or has been disabled. Nothing was sent to it. Go back to it, and tell whoever runs it.',
  },
  unread_client: {
    status: 400,
    title: 'Keks cannot read who asks',
    text: 'The program that sent you here is described at an address of its own, and what Keks found there will not do, or nothing is there. Nothing was sent to it. Try again in a while, or tell whoever runs it.',
  },
  unknown_address: {
    status: 400,
    title: 'Keks does not send you there',
    text: 'The program that sent you here wants the answer at an address that is not registered for it. Nothing was sent there. Tell whoever runs it.',
  },
  pushed_over: {
    status: 400,
    title: 'This request is over',
    text: 'The program that sent you here has said before what it wants, and that has been answered, or has waited for too long. Go back to it, and start there.',
  },
  too_many_parameters: {
    status: 400,
    title: 'This request cannot be read',
    text: 'The program that sent you here says more than Keks reads. Tell whoever runs it.',
  },
  forged: {
    status: 403,
    title: 'This page is not one that you were shown here',
    text: 'It may come from another tab, or your browser keeps no cookies for this address. Nothing has happened: start again.',
  },
  expired: {
    status: 403,
    title: 'This page was open for too long',
    text: 'For your safety a page counts for 10 minutes. Nothing has happened: start again.',
  },
  signed_out: {
    status: 403,
    title: 'You are signed out',
    text: 'Your session has ended meanwhile. Nothing was allowed: start again, and sign in.',
  },
  unreadable: {
    status: 400,
    title: 'This form cannot be read',
    text: 'Something of it is missing. Nothing has happened: go back to the program that sent you here, and start there.',
  },
  throttled: {
    status: 429,
    title: 'Too many attempts',
    text: 'They came from here, or for this account. For a while Keks takes no password and no code, also no right one, and lets nobody in. Wait a few minutes, then start again.',
  },
  away: {
    status: 503,
    title: 'Keks cannot answer right now',
    text: 'Usually its database is away for a moment. Nothing was lost: wait a little, then start again.',
  },
} as const satisfies Record<string, Trouble>;

export type TroubleName = keyof typeof TROUBLES;
