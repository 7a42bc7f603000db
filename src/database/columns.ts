type Snake<S extends string> = S extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : S;

/** Some members of an entity, as a hand-written statement returns them: each under the name of its column. */
export type RowOf<E, Members extends readonly (keyof E & string)[]> = {
  readonly [Member in Members[number] as Snake<Member>]: E[Member];
};

/** The same members as the column list of a statement. @param table the name or alias of the table, with a dot */
export function columnsOf(members: readonly string[], table = ''): string {
  return members
    .map((member) => table + member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
    .join(', ');
}
