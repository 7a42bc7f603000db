/**
 * Breadth first through all states: the first broken one has been reached by a shortest way.
 * @returns how many states there are, whether that is all of them, and the way to the broken one if there is one
 */
export function explore({ start, next, isBroken }, { most = Infinity } = {}) {
  const keyOf = (state) => String.fromCharCode.apply(null, state);
  const states = [start];
  /** Which state each was reached from, and by what. */
  const from = [-1];
  const by = [''];
  const known = new Set([keyOf(start)]);
  for (let at = 0; at < states.length; at += 1) {
    for (const [what, state] of next(states[at])) {
      const key = keyOf(state);
      if (known.has(key)) continue;
      known.add(key);
      states.push(state);
      from.push(at);
      by.push(what);
      if (isBroken(state)) return { states: states.length, complete: false, way: wayTo(states.length - 1) };
    }
    states[at] = undefined;
    if (states.length > most) return { states: states.length, complete: false, way: undefined };
  }
  return { states: states.length, complete: true, way: undefined };

  function wayTo(last) {
    const way = [];
    for (let at = last; at > 0; at = from[at]) way.unshift(by[at]);
    return way;
  }
}
