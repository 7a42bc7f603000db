import { Option, type Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { table, type Answer } from '../answer.js';
import { examples, once, type Act } from '../noun.js';
import { Refusal } from '../refusal.js';
import { readSecret } from '../stdin.js';
import { known, publicOf, receiverRefusal, stateOf, textOf, withReceivers } from './receiver-record.js';

/** Those who are told of what ends, by events that servers push to them. */
export function receiver(program: Command, act: Act): void {
  const noun = program
    .command('receiver')
    .description('receivers: who is told of what ends, by events that are pushed');
  noun
    .command('add')
    .description('has somebody told from now on, at an https address')
    .argument('<name>', 'lower-case letters, digits and hyphens')
    .argument('<url>')
    .addOption(once('--audience <text>', 'the "aud" of its events; the address if absent'))
    .addOption(new Option('--event <names...>', 'only these, such as session-revoked; all if absent'))
    .option(
      '--authorization-stdin',
      'what it wants in "Authorization" comes on standard input, scheme and all',
    )
    .addHelpText(
      ...examples(
        'keks receiver add siem https://siem.example.com/events',
        'keks receiver add siem https://siem.example.com/events --authorization-stdin < authorization.txt',
        'keks receiver add alarm https://alarm.example.com/ --event credential-compromise login-throttled',
      ),
    )
    .action(act(add));
  noun
    .command('list')
    .description('all of them, and how it goes')
    .addHelpText(...examples('keks receiver list'))
    .action(act(list));
  noun
    .command('show')
    .description('one of them: what waits, what fails, and what was given up')
    .argument('<name>')
    .addHelpText(...examples('keks receiver show siem'))
    .action(act(show));
  noun
    .command('test')
    .description('has a server send it an event that says nothing, and waits for what becomes of it')
    .argument('<name>')
    .addHelpText(...examples('keks receiver test siem'))
    .action(act(test));
  noun
    .command('remove')
    .description('has it told nothing any more; what it has not taken goes with it')
    .argument('<name>')
    .addHelpText(...examples('keks receiver remove siem'))
    .action(act(remove));
}

interface AddOptions {
  readonly audience?: string;
  readonly event?: string[];
  readonly authorizationStdin?: true;
}

async function add(name: string, url: string, options: AddOptions): Promise<Answer> {
  const { audience, event: events, authorizationStdin } = options;
  const authorization = authorizationStdin ? await readSecret('the authorization') : undefined;
  const made = await withReceivers((receivers, by) =>
    receivers.add({ name, url, audience, events, authorization }, by),
  );
  if ('flaw' in made) throw receiverRefusal(made.flaw);
  return { json: publicOf(made.added), text: textOf(made.added) };
}

async function list(): Promise<Answer> {
  const all = await withReceivers((receivers) => receivers.list());
  const rows = all.map((one) => [one.name, one.url, String(one.undelivered), stateOf(one)]);
  return { json: all.map(publicOf), text: table(['NAME', 'URL', 'UNDELIVERED', 'STATE'], rows) };
}

async function show(which: string): Promise<Answer> {
  const one = await withReceivers((receivers) => known(receivers, which));
  return { json: publicOf(one), text: textOf(one) };
}

async function remove(which: string): Promise<Answer> {
  const removed = await withReceivers(async (receivers, by) => {
    const one = await known(receivers, which);
    await receivers.remove(one.id, by);
    return one;
  });
  return { json: { id: removed.id, removed: true }, text: 'It is told nothing any more.' };
}

/** A server takes up to a second to see it, and then as long as a request may take. */
const TRIED_MS = 15_000;
const LOOK_MS = 200;

async function test(which: string): Promise<Answer> {
  const [before, after] = await withReceivers(async (receivers, by) => {
    const before = await known(receivers, which);
    await receivers.verify(before.id, by);
    const until = performance.now() + TRIED_MS;
    for (;;) {
      await sleep(LOOK_MS);
      const now = await known(receivers, before.id);
      if (!now.verifying || performance.now() > until) return [before, now];
    }
  });
  if (after.verifying)
    throw new Refusal(
      'temporarily_unavailable',
      'No server has sent it yet. Only servers send events: see that one runs.',
    );
  if (after.verified_at?.getTime() === before.verified_at?.getTime())
    throw new Refusal(
      'temporarily_unavailable',
      `${after.name} did not take it: ${after.last_error ?? 'it was not sent'}.`,
    );
  return { json: publicOf(after), text: `${after.name} has taken it.` };
}
