/** RFC 3339. Without its zone a time means another one on the next machine. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

export const TIME_EXAMPLE = '2026-01-31T12:00:00Z';

/** @returns undefined for what is no time with its zone */
export function readTime(text: string): Date | undefined {
  const time = TIME.test(text) ? new Date(text) : undefined;
  return time && !Number.isNaN(time.getTime()) ? time : undefined;
}
