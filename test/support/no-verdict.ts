import { inspect } from 'node:util';
import { NoVerdict, type NoVerdictCode } from 'keks-guard';
import { expect } from 'vitest';

/** What the tests put where it must not come out again. */
const SECRETS = /kat_|krt_|kcs_|eyJ|Marker/;

/** A fault and no verdict, told in one sentence without secrets. */
export async function expectNoVerdict(asked: Promise<unknown>, code: NoVerdictCode): Promise<void> {
  const fault: unknown = await asked.then(
    () => 'a verdict',
    (error: unknown) => error,
  );
  expect(fault).toBeInstanceOf(NoVerdict);
  expect((fault as NoVerdict).code).toBe(code);
  expect((fault as NoVerdict).message).toMatch(/^[A-Z].+\.$/);
  expect(inspect(fault)).not.toMatch(SECRETS);
}
