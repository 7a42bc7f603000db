import { quoted, stepsOf, valuedOptions, type Place } from './places.js';

/** After an option with a free value, bash completes names of files. */
export function bashScript(places: readonly Place[]): string {
  const values = valuedOptions(places).map(({ at, values: known }) =>
    known.length > 0
      ? `    ${quoted(at)}) words=${quoted(known.join(' '))} ;;`
      : `    ${quoted(at)}) return ;;`,
  );
  const words = places.map(({ path, words: next, options }) => {
    const names = [...next, ...options].map(({ name }) => name);
    return `      ${quoted(path.join(' '))}) words=${quoted(names.join(' '))} ;;`;
  });
  return [
    '# source <(keks completion bash)',
    '_keks() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} at= words= i',
    '  COMPREPLY=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case "$at/${COMP_WORDS[i]}" in',
    `      ${stepsOf(places).map(quoted).join('|')}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;`,
    '    esac',
    '  done',
    '  case "$at $before" in',
    ...values,
    '    *) case "$at" in',
    ...words,
    '    esac ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _keks keks',
  ].join('\n');
}
