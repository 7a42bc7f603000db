import { explore } from './checker.mjs';
import { MISTAKES, protocol } from './protocol.mjs';

/** Each shows something that the others cannot: time, who waits for whom, two instances, revokes that overtake each other. */
export const WORLDS = {
  'a long lease': { guards: 1, instances: 1, revokes: 1, life: 3, restarts: 1 },
  'two revokes': { guards: 1, instances: 1, revokes: 2, life: 1, restarts: 1 },
  'two revokes, a longer lease': { guards: 1, instances: 1, revokes: 2, life: 2 },
  'two guards': { guards: 2, instances: 1, revokes: 1, life: 1 },
  'two instances': { guards: 1, instances: 2, revokes: 1, life: 1 },
};

/** Done in a second or two. */
export const SMALL = {
  'one of each': { guards: 1, instances: 1, revokes: 1, life: 2, restarts: 1 },
};

/** @returns for each world: nothing broken, in all of its states */
export function checkProtocol(worlds = WORLDS) {
  return Object.entries(worlds).map(([world, bounds]) => ({ world, ...explore(protocol(bounds)) }));
}

/** @returns for each mistake a shortest way to a stale accept, of the first world that has one */
export function checkMistakes(worlds = WORLDS) {
  return Object.keys(MISTAKES).map((mistake) => {
    for (const bounds of Object.values(worlds)) {
      const { way } = explore(protocol(bounds, mistake));
      if (way) return { mistake, way };
    }
    return { mistake, way: undefined };
  });
}

if (process.argv[1] === import.meta.filename) {
  let right = true;
  for (const { world, states, complete, way } of checkProtocol()) {
    right &&= complete;
    console.log(`${world}: ${states} states, ${complete ? 'no stale accept' : `BROKEN: ${way?.join(', ')}`}`);
  }
  for (const { mistake, way } of checkMistakes()) {
    right &&= way !== undefined;
    console.log(`${mistake}: ${way ? `stale accept in ${way.length} steps` : 'NOT FOUND'}`);
    if (process.argv.includes('--ways') && way) for (const step of way) console.log(`    ${step}`);
  }
  process.exitCode = right ? 0 : 1;
}
