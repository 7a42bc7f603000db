/** A line that stays. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A line that the next one replaces; nothing where nobody looks. */
export function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${line}\r`);
}
