import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const EVERY_MS = 10;
const CODE = `
  let due = performance.now() + ${EVERY_MS}, worst = 0;
  setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - due);
    due = now + ${EVERY_MS};
  }, ${EVERY_MS});
  process.on('message', () => { process.send(worst); worst = 0; });
  process.on('disconnect', () => process.exit());
  process.send(0);`;

/**
 * How late a process that does nothing gets its turn on this machine: what a time in a test may be longer than a promise
 * says without the program being at fault.
 */
export class Machine {
  private constructor(private readonly child: ChildProcess) {}

  static async watch(): Promise<Machine> {
    const child = spawn(process.execPath, ['-e', CODE], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(child, 'message');
    return new Machine(child);
  }

  /** The worst since it was last asked: milliseconds. */
  async lateness(): Promise<number> {
    this.child.send('');
    const [worst] = (await once(this.child, 'message')) as [number];
    return worst;
  }

  /**
   * @param ms what is promised where nothing else runs
   * @returns what it may take on this machine since it was last asked, in milliseconds
   */
  async allowance(ms: number): Promise<number> {
    const late = await this.lateness();
    return ms * (await slowness()) + 5 * late;
  }

  stop(): void {
    this.child.disconnect();
  }
}

/** Milliseconds that a Node which does nothing takes to start and end where nothing else runs. */
const NODE_START_MS = 60;

/** How many times longer than on an idle machine the same work takes now, 1 at least. */
export async function slowness(): Promise<number> {
  const began = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return Math.max(1, (performance.now() - began) / NODE_START_MS);
}
