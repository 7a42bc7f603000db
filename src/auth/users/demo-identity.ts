/** The user of the story. Everybody knows this password, which is why it exists with the embedded database only. */
export const DEMO_USER = { user: 'CookieDestroyer', password: 'U+1F36A', scope: 'cookies:eat' } as const;
