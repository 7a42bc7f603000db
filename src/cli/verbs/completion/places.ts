import type { Command, Option } from 'commander';

export interface Word {
  readonly name: string;
  readonly description: string;
}

/** An option, and what can follow it. */
export interface OptionWord extends Word {
  readonly takesValue: boolean;
  /** Every value there is, if they are few. */
  readonly values: readonly string[];
}

/** A point on the command line, and what can follow there. */
export interface Place {
  /** The words before: none, a noun, or a noun and a verb. */
  readonly path: readonly string[];
  readonly words: readonly Word[];
  readonly options: readonly OptionWord[];
}

/** Of the whole program, the outermost first. */
export function placesOf(program: Command, path: readonly string[] = []): Place[] {
  const help = program.createHelp();
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
  }));
  const values = program.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const options = [...help.visibleOptions(program), ...help.visibleGlobalOptions(program)];
  return [
    {
      path,
      words: [...commands, ...values.map((name) => ({ name, description: '' }))],
      options: options.map(optionWord),
    },
    ...program.commands.flatMap((command) => placesOf(command, [...path, command.name()])),
  ];
}

function optionWord(option: Option): OptionWord {
  return {
    name: option.long ?? option.short ?? '',
    description: option.description,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? [],
  };
}

/** The words before, as `noun/verb`: by them a script knows where it is. */
export function stepsOf(places: readonly Place[]): string[] {
  return places.flatMap(({ path }) =>
    path.length === 0 ? [] : [`${path.slice(0, -1).join(' ')}/${path.at(-1)}`],
  );
}

/** Options that take a value, each with the places where it is known. */
export function valuedOptions(
  places: readonly Place[],
): { readonly at: string; readonly values: readonly string[] }[] {
  return places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ name, values }) => ({ at: `${path.join(' ')} ${name}`, values })),
  );
}

/** Quoted for a shell, so that no character has a special meaning. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
