import { quoted, stepsOf, valuedOptions, type Place, type Word } from './places.js';

/** With descriptions. After an option with a free value, zsh completes names of files. */
export function zshScript(places: readonly Place[]): string {
  const values = valuedOptions(places).map(({ at, values: known }) =>
    known.length > 0
      ? `    ${quoted(at)}) verbs=(${known.map(quoted).join(' ')}) ;;`
      : `    ${quoted(at)}) _files; return ;;`,
  );
  const words = places.map(
    ({ path, words: next, options }) =>
      `      ${quoted(path.join(' '))}) verbs=(${described(next)}); options=(${described(options)}) ;;`,
  );
  return [
    '#compdef keks',
    '# source <(keks completion zsh)',
    '_keks() {',
    '  local at= i',
    '  local -a verbs options',
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    case "$at/${words[i]}" in',
    `      ${stepsOf(places).map(quoted).join('|')}) at="\${at:+$at }\${words[i]}" ;;`,
    '    esac',
    '  done',
    '  case "$at ${words[CURRENT-1]}" in',
    ...values,
    '    *) case "$at" in',
    ...words,
    '    esac ;;',
    '  esac',
    '  (( $#verbs )) && _describe -t verbs verb verbs',
    '  (( $#options )) && _describe -o -t options option options',
    '}',
    '(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }',
    'compdef _keks keks',
  ].join('\n');
}

function described(list: readonly Word[]): string {
  return list.map(({ name, description }) => quoted(`${name}:${description}`)).join(' ');
}
