const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * While we own something that would outlive the process, a signal must not end it at once. `interruption` aborts, `work`
 * clears up, and then the signal ends the process as usual. Through npm a Ctrl-C arrives twice; later ones change nothing.
 */
export async function clearingUp<T>(work: (interruption: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let caught: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    caught ??= signal;
    controller.abort(new Error(`interrupted by ${signal}`));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    if (caught) process.kill(process.pid, caught);
  }
}

/** Rejects when `interruption` aborts; otherwise it does not settle. */
export function interrupted(interruption: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    interruption.addEventListener('abort', () => reject(interruption.reason), { once: true });
  });
}
