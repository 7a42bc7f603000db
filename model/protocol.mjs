/**
 * The protocol of leases as it is built (docs/decisions/0048), small enough to look at all that can happen: revokes, instances of
 * the authority, guards, and messages that take their time, get lost or are given up. Time passes in steps; `life` of them are a
 * lease. A state is a flat list of small numbers. `MISTAKES` are the wrong orders, each of which must end in a stale accept.
 */
export const MISTAKES = {
  'notify alone': 'an instance reads when it is rung for only, and renews leases without reading',
  'stamped at the reply': 'the lease of a guard runs from when the answer comes',
  'no tombstones': 'an entry goes as soon as its revoke is acknowledged',
  'bigserial cursor': 'a reader asks for numbers above the highest that it has seen',
  'lease committed after the read': 'the entry in the register is there after the log has been read',
  'lease committed with the read': 'both in one transaction, so with one snapshot',
  'lease extended by use': 'a guard that accepts a token takes its lease for new',
  'guard without an end': 'a guard goes on when its lease is over',
  'revoke without waiting': 'a revoke is acknowledged when it is committed',
  'register read before the commit': 'the revoke reads the register in its own snapshot',
  'poll answered by an older read': 'a poll is answered by a read that began before it came',
  'answer to another poll': 'a poll that has been given up is answered to the one after it',
  'sent is applied': 'an instance takes a guard that it has answered for one that has applied the answer',
  'whole lease of an old entry':
    'an answer for which nothing was committed gives a lease as long as any other',
  'left and goes on': 'a guard that has said that it holds no lease any more goes on with it',
  'begins again with its lease':
    'a guard that fetches everything anew accepts by what it had, and tells what is coming',
  'register cleaned in haste':
    'a revoke that has waited takes away the entry of an instance that has renewed it meanwhile',
};

const [IDLE, OPEN, COMMITTED, WAITING, DONE] = [0, 1, 2, 3, 4];
/** Of an instance: between two rounds, its lease is committed, the log is read. */
const [RESTING, LEASED, READ] = [0, 1, 2];
/** Of a guard's poll. */
const [NONE, GOING, THERE, COMING] = [0, 1, 2, 3];

/**
 * @param bounds `guards`, `instances`, `revokes`; `life` of a lease in steps of time; `restarts` of guards
 * @param mistake a name out of MISTAKES
 */
export function protocol({ guards, instances, revokes, life, restarts = 0 }, mistake) {
  const is = (name) => mistake === name;
  const all = (count) => [...Array(count).keys()];
  const [G, I, R] = [all(guards), all(instances), all(revokes)];
  const every = (1 << revokes) - 1;

  // where what stands in a state
  let size = 0;
  const take = (count) => {
    const first = size;
    size += count;
    return (at) => first + at;
  };
  const phase = take(revokes);
  const waited = take(revokes);
  const owing = take(revokes); // instances that it waits for
  const still = take(revokes); // of these, those whose entry nobody has renewed since
  const number = take(revokes); // drawn before the commit, as a sequence does
  const logged = take(revokes);
  const entered = take(instances); // whether it stands in the register
  const applied = take(instances); // what stands there: these revokes all of its guards have applied
  const renewed = take(instances); // how long ago; `life` is too long for an answer without a renewal
  const round = take(instances);
  const batch = take(instances); // guards whose polls this round answers
  const seen = take(instances);
  const rung = take(instances);
  const queue = take(instances); // guards whose polls are there
  const pair = (of) => (instance, guard) => of(instance * guards + guard);
  const leaseAge = pair(take(instances * guards)); // as the instance knows it; `life` is none
  const acked = pair(take(instances * guards));
  const entries = take(guards);
  const anew = take(guards); // whether it fetches everything anew, and
  const coming = take(guards); // what of it is there
  const age = take(guards); // of the stamp that the lease rests on; `life` is none
  const poll = take(guards);
  const asked = take(guards);
  const stamp = take(guards);
  const arrived = take(guards);
  const answer = take(guards);
  const left = take(1)(0);

  const start = new Uint8Array(size);
  for (const g of G) start[age(g)] = life;
  for (const i of I) start[renewed(i)] = life;
  for (const i of I) for (const g of G) start[leaseAge(i, g)] = life;
  start[left] = restarts;

  const committed = (s) => R.reduce((set, r) => (s[phase(r)] >= COMMITTED ? set | (1 << r) : set), 0);
  const inLog = (s) => R.reduce((set, r) => (s[logged(r)] ? set | (1 << r) : set), 0) & committed(s);
  /** What all who may hold a lease of this instance have applied: of nobody, all. */
  const confirmed = (s, i) => {
    const holders = G.filter((g) => s[leaseAge(i, g)] < life);
    return holders.reduce((set, g) => set & s[acked(i, g)], every);
  };
  /** By numbers: only what is above the highest that the guard has seen. */
  const newTo = (s, known, visible) => {
    if (!is('bigserial cursor')) return visible;
    const highest = Math.max(0, ...R.filter((r) => known & (1 << r)).map((r) => s[number(r)]));
    return R.reduce((set, r) => (visible & (1 << r) && s[number(r)] > highest ? set | (1 << r) : set), 0);
  };

  function enter(s, i) {
    for (const g of G)
      if (s[batch(i)] & (1 << g)) {
        if (s[leaseAge(i, g)] >= life) s[acked(i, g)] = inLog(s);
        s[leaseAge(i, g)] = s[arrived(g)];
      }
    const known = G.some((g) => s[leaseAge(i, g)] < life) ? confirmed(s, i) : inLog(s);
    s[entered(i)] = 1;
    s[renewed(i)] = 0;
    s[applied(i)] = known;
    for (const r of R) s[still(r)] &= ~(1 << i);
  }

  /** No lease lasts longer than the entry promises. */
  const leased = (s, i, since) =>
    is('whole lease of an old entry') ? s[since] : Math.max(s[since], s[renewed(i)]);

  function look(s, i) {
    if (is('notify alone') && !s[rung(i)]) return;
    s[rung(i)] = 0;
    s[seen(i)] |= inLog(s);
  }

  function* ofRevoke(state, r) {
    const to = (next) => {
      const s = state.slice();
      s[phase(r)] = next;
      return s;
    };
    const lookAtRegister = (s) => {
      s[owing(r)] = I.reduce((set, i) => (s[entered(i)] ? set | (1 << i) : set), 0);
      s[still(r)] = s[owing(r)];
      s[waited(r)] = 0;
    };
    if (state[phase(r)] === IDLE) {
      const s = to(OPEN);
      s[number(r)] = 1 + Math.max(0, ...R.map((other) => state[number(other)]));
      if (is('register read before the commit')) lookAtRegister(s);
      yield [`revoke ${r} writes`, s];
    } else if (state[phase(r)] === OPEN) {
      const s = to(COMMITTED);
      s[logged(r)] = 1;
      // a bell may be lost
      yield [`revoke ${r} commits`, s];
      const heard = s.slice();
      for (const i of I) heard[rung(i)] = 1;
      yield [`revoke ${r} commits and rings`, heard];
    } else if (state[phase(r)] === COMMITTED) {
      if (is('revoke without waiting')) return yield [`revoke ${r} is acknowledged`, to(DONE)];
      const s = to(WAITING);
      if (!is('register read before the commit')) lookAtRegister(s);
      yield [`revoke ${r} looks into the register`, s];
    } else if (state[phase(r)] === WAITING) {
      const over = state[waited(r)] >= life;
      const open = I.filter((i) => {
        const knows = (state[applied(i)] | (i === 0 ? confirmed(state, i) : 0)) & (1 << r);
        return state[owing(r)] & (1 << i) && state[entered(i)] && !knows;
      });
      if (open.length === 0 || over) {
        const s = to(DONE);
        if (is('no tombstones')) s[logged(r)] = 0;
        yield [`revoke ${r} is acknowledged`, s];
      }
      if (over)
        for (const i of open)
          if (state[still(r)] & (1 << i) || is('register cleaned in haste')) {
            const s = state.slice();
            s[entered(i)] = 0;
            yield [`revoke ${r} takes instance ${i} out of the register`, s];
          }
    }
  }

  function* ofInstance(state, i) {
    const late = is('lease committed after the read') || is('lease committed with the read');
    if (state[round(i)] === RESTING && state[queue(i)]) {
      const s = state.slice();
      s[round(i)] = LEASED;
      s[batch(i)] = s[queue(i)];
      if (late) look(s, i);
      else enter(s, i);
      yield [late ? `instance ${i} reads` : `instance ${i} commits its lease`, s];
      const areKnown = G.every((g) => !(state[queue(i)] & (1 << g)) || state[leaseAge(i, g)] < life);
      if (late || !areKnown || state[renewed(i)] >= life) return;
      const quick = state.slice();
      quick[round(i)] = LEASED;
      quick[batch(i)] = quick[queue(i)];
      // what has been committed for an earlier answer goes on: its holders get what is left of it
      for (const g of G)
        if (quick[batch(i)] & (1 << g))
          quick[leaseAge(i, g)] = Math.min(quick[leaseAge(i, g)], leased(quick, i, arrived(g)));
      yield [`instance ${i} goes on with its lease`, quick];
    } else if (state[round(i)] === LEASED) {
      const s = state.slice();
      s[round(i)] = READ;
      if (late) enter(s, i);
      else look(s, i);
      // a revoke has taken it out meanwhile: it begins again
      if (!late && !s[entered(i)]) s[round(i)] = RESTING;
      yield [late ? `instance ${i} commits its lease` : `instance ${i} reads`, s];
    } else if (state[round(i)] === READ) {
      const s = state.slice();
      s[round(i)] = RESTING;
      if (is('poll answered by an older read')) s[batch(i)] |= s[queue(i)];
      for (const g of G)
        if (s[batch(i)] & s[queue(i)] & (1 << g)) {
          s[poll(g)] = COMING;
          s[stamp(g)] = leased(s, i, stamp(g));
          s[answer(g)] = newTo(s, s[entries(g)], s[seen(i)]);
          // whom nobody else has given a lease accepts nothing before this answer
          if (is('sent is applied')) s[acked(i, g)] = s[seen(i)];
          s[leaseAge(i, g)] = Math.min(s[leaseAge(i, g)], leased(s, i, arrived(g)));
        }
      s[queue(i)] &= ~s[batch(i)];
      s[batch(i)] = 0;
      yield [`instance ${i} answers`, s];
    }
  }

  /** Its connection is closed: nobody answers that poll, and none that comes after it in its place. */
  function forget(s, g) {
    s[queue(s[asked(g)])] &= ~(1 << g);
    if (!is('answer to another poll')) s[batch(s[asked(g)])] &= ~(1 << g);
  }

  function* ofGuard(state, g) {
    if (state[poll(g)] === NONE) {
      for (const i of I) {
        const s = state.slice();
        s[poll(g)] = GOING;
        s[asked(g)] = i;
        s[stamp(g)] = 0;
        yield [`guard ${g} asks instance ${i}`, s];
      }
    } else {
      const s = state.slice();
      s[poll(g)] = NONE;
      forget(s, g);
      yield [`guard ${g} gives up`, s];
    }
    if (state[poll(g)] === GOING) {
      const s = state.slice();
      const i = s[asked(g)];
      s[poll(g)] = THERE;
      s[arrived(g)] = 0;
      s[queue(i)] |= 1 << g;
      // what it asks from is what it has applied
      s[acked(i, g)] = s[anew(g)] ? s[coming(g)] : s[entries(g)];
      yield [`the poll of guard ${g} comes`, s];
    }
    if (state[poll(g)] === COMING) {
      const s = state.slice();
      s[poll(g)] = NONE;
      s[entries(g)] = (s[anew(g)] ? s[coming(g)] : s[entries(g)]) | s[answer(g)];
      s[anew(g)] = s[coming(g)] = 0;
      s[age(g)] = is('stamped at the reply') ? 0 : s[stamp(g)];
      yield [`the answer comes to guard ${g}`, s];
    }
    if (is('lease extended by use') && state[age(g)] < life && state[age(g)] > 0) {
      const s = state.slice();
      s[age(g)] = 0;
      yield [`guard ${g} accepts`, s];
    }
    if (state[left] > 0) {
      const s = state.slice();
      s[left] -= 1;
      s[entries(g)] = s[anew(g)] = s[coming(g)] = 0;
      s[age(g)] = life;
      forget(s, g);
      s[poll(g)] = NONE;
      yield [`guard ${g} is killed and starts`, s];
      const again = state.slice();
      again[left] -= 1;
      again[anew(g)] = 1;
      again[coming(g)] = inLog(again);
      if (!is('begins again with its lease')) again[age(g)] = life;
      forget(again, g);
      again[poll(g)] = NONE;
      yield [`guard ${g} begins again`, again];
      for (const i of I) {
        const left = s.slice();
        if (is('left and goes on')) [left[entries(g)], left[age(g)]] = [state[entries(g)], state[age(g)]];
        left[leaseAge(i, g)] = life;
        yield [`guard ${g} leaves instance ${i} and starts`, left];
      }
    }
  }

  function later(state) {
    const s = state.slice();
    const older = (at) => (s[at] = Math.min(life, s[at] + 1));
    for (const r of R) if (s[phase(r)] === WAITING) older(waited(r));
    for (const i of I) older(renewed(i));
    for (const i of I) for (const g of G) older(leaseAge(i, g));
    for (const g of G) {
      if (s[age(g)] < life && !is('guard without an end')) older(age(g));
      if (s[poll(g)] !== NONE) older(stamp(g));
      if (s[poll(g)] === THERE) older(arrived(g));
    }
    return ['time passes', s];
  }

  /** What nobody looks at any more is nothing: so there are fewer states, and the same ways. */
  function plain(s) {
    for (const r of R) {
      if (!is('bigserial cursor')) s[number(r)] = 0;
      if (s[phase(r)] === DONE) s[waited(r)] = s[owing(r)] = s[still(r)] = 0;
    }
    for (const i of I) {
      if (!is('notify alone')) s[rung(i)] = 0;
      if (!is('notify alone') && s[round(i)] === RESTING) s[seen(i)] = 0;
      for (const g of G) if (s[leaseAge(i, g)] >= life) s[acked(i, g)] = 0;
    }
    for (const g of G) {
      if (s[poll(g)] === NONE) s[stamp(g)] = s[asked(g)] = 0;
      if (s[poll(g)] !== THERE) s[arrived(g)] = 0;
      if (s[poll(g)] !== COMING) s[answer(g)] = 0;
    }
    return s;
  }

  function* next(state) {
    for (const r of R) yield* ofRevoke(state, r);
    for (const i of I) yield* ofInstance(state, i);
    for (const g of G) yield* ofGuard(state, g);
    yield later(state);
  }

  return {
    start,
    /** All that can happen next, each with its name. */
    *next(state) {
      for (const [what, s] of next(state)) yield [what, plain(s)];
    },
    /** A guard would accept a token whose revoke has been acknowledged. */
    isBroken(state) {
      const dead = R.reduce((set, r) => (state[phase(r)] === DONE ? set | (1 << r) : set), 0);
      return G.some((g) => state[age(g)] < life && (dead & ~state[entries(g)]) !== 0);
    },
  };
}
