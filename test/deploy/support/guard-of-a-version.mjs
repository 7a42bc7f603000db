// A guard as a process of its own, of whichever version GUARD_MODULE is: it is asked by message, and says `active`, `refused` or
// `nothing`.
const { JwtValidator } = await import(process.env.GUARD_MODULE);
const validator = new JwtValidator({ revocations: 'exact', ...JSON.parse(process.env.GUARD) });

process.on('message', ({ id, token }) => {
  validator.validate(token).then(
    ({ active }) => process.send({ id, verdict: active ? 'active' : 'refused' }),
    () => process.send({ id, verdict: 'nothing' }),
  );
});
process.on('disconnect', () => process.exit(0));
