import { stepsOf, type OptionWord, type Place } from './places.js';

export function fishScript(places: readonly Place[]): string {
  return [
    '# keks completion fish > ~/.config/fish/completions/keks.fish',
    'function __keks_at',
    "  set -l at ''",
    '  for word in (commandline -opc)[2..-1]',
    '    switch "$at/$word"',
    `      case ${stepsOf(places).map(quoted).join(' ')}`,
    '        set at (string trim -- "$at $word")',
    '    end',
    '  end',
    '  test "$at" = "$argv[1]"',
    'end',
    'complete -c keks -f',
    ...places.flatMap(linesOf),
  ].join('\n');
}

function linesOf({ path, words, options }: Place): string[] {
  const here = `complete -c keks -n ${quoted(`__keks_at "${path.join(' ')}"`)}`;
  return [
    ...words.map(({ name, description }) => `${here} -a ${quoted(name)} -d ${quoted(description)}`),
    ...options.map((option) => `${here} -l ${option.name.replace(/^--/, '')}${valueOf(option)}`),
  ];
}

function valueOf({ takesValue, values, description }: OptionWord): string {
  const value = values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : takesValue ? ' -r -F' : '';
  return `${value} -d ${quoted(description)}`;
}

/** Inside single quotes fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
