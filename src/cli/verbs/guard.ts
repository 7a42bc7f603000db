import type { Command } from 'commander';
import { table, type Answer } from '../answer.js';
import { examples, type Act } from '../noun.js';

/** APIs that check JWTs alone, by leases. */
export function guard(program: Command, act: Act): void {
  const noun = program.command('guard').description('guards: APIs that check JWTs alone, by leases');
  noun
    .command('list')
    .description('those of all instances: what is left of their leases, and how far behind they are')
    .addHelpText(...examples('keks guard list', 'keks guard list --json'))
    .action(act(list));
}

async function list(): Promise<Answer> {
  const [{ withServices }, { GuardDirectory }] = await Promise.all([
    import('../services.js'),
    import('../../auth/leases/guard-directory.js'),
  ]);
  const { guards } = await withServices((services) => services.get(GuardDirectory).list());
  const rows = guards.map((one) => [
    one.name,
    one.clientId,
    one.instance.slice(0, 8),
    one.leaseLeft === 0 ? 'over' : `${one.leaseLeft} ms`,
    String(one.behind),
    String(one.awaited),
  ]);
  return {
    json: guards.map((one) => ({
      name: one.name,
      client_id: one.clientId,
      instance: one.instance,
      lease_ms: one.leaseLeft,
      behind: one.behind,
      awaited_by: one.awaited,
      described_ms_ago: one.describedAgo,
    })),
    text: table(['NAME', 'CLIENT', 'INSTANCE', 'LEASE', 'BEHIND', 'AWAITED_BY'], rows),
  };
}
