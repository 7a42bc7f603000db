/**
 * Done before a timer of this process goes off. For what this process does by timers of its own, that is an order, and not a
 * measurement: a busy machine holds up both alike.
 */
export async function soonerThan<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done when ${milliseconds} ms were over`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
