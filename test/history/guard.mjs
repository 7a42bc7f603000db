// A guard as a process of its own: it is asked by message about tokens, and says of each `active`, `refused` or
// `nothing`. A message can also make one of the known mistakes in it.
import { JwtValidator } from 'keks-guard/jwt';
import { LeaseClock } from '../../packages/guard/dist/lease-clock.js';
import { RevocationFollower } from '../../packages/guard/dist/revocation-follower.js';

const validator = new JwtValidator({ revocations: 'exact', ...JSON.parse(process.env.GUARD) });

const MISTAKES = {
  'stamped-at-the-reply': () => {
    const { step } = RevocationFollower.prototype;
    RevocationFollower.prototype.step = async function () {
      const before = this.lease;
      await step.call(this);
      if (this.lease && this.lease !== before) this.lease = { ms: this.lease.ms, from: this.clock.stamp() };
    };
  },
  'no-end-of-the-lease': () => {
    LeaseClock.prototype.left = () => 1;
  },
  'extended-by-use': () => {
    const { judge } = RevocationFollower.prototype;
    RevocationFollower.prototype.judge = function (...args) {
      const verdict = judge.apply(this, args);
      if (this.leaseLeft > 0) this.lease = { ms: this.lease.ms, from: this.clock.stamp() };
      return verdict;
    };
  },
};

const verdictOf = (token) =>
  validator.validate(token).then(
    ({ active }) => (active ? 'active' : 'refused'),
    () => 'nothing',
  );

process.on('message', ({ id, tokens, mistake }) => {
  if (mistake !== undefined) MISTAKES[mistake]?.();
  void Promise.all((tokens ?? []).map(verdictOf)).then((verdicts) => process.send({ id, verdicts }));
});
process.on('disconnect', () => process.exit(0));
process.send({ id: 0, verdicts: [] });
