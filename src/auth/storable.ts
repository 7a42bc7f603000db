/**
 * PostgreSQL stores every text but one with NUL, and a statement with one is a fault. Bodies have none; addresses, queries and
 * tokens can. What cannot be stored names nothing that is there.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0');
}
