/** Shows the progress of long work: one line on standard error that is overwritten, on a terminal only. */
export class Progress {
  private shown = false;

  constructor(private readonly stream: NodeJS.WriteStream = process.stderr) {}

  tell(text: string): void {
    if (!this.stream.isTTY) return;
    this.shown = true;
    // a terminal that does not know its width says 0
    this.stream.write(`\r\u001b[K${text.slice(0, (this.stream.columns || 80) - 1)}`);
  }

  /** Clears the line for the answer. */
  end(): void {
    if (this.shown) this.stream.write('\r\u001b[K');
  }
}

/** @param work long work, which tells how far it is */
export async function showingProgress<T>(work: (tell: (text: string) => void) => Promise<T>): Promise<T> {
  const progress = new Progress();
  try {
    return await work((text) => progress.tell(text));
  } finally {
    progress.end();
  }
}
