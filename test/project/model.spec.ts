import { describe, expect, it } from 'vitest';

interface Checked {
  readonly world: string;
  readonly complete: boolean;
  readonly way?: readonly string[];
}

interface Model {
  readonly SMALL: object;
  readonly WORLDS: Record<string, object>;
  checkProtocol(worlds: object): Checked[];
  checkMistakes(worlds: object): { readonly mistake: string; readonly way?: readonly string[] }[];
}

const address = new URL('../../model/check.mjs', import.meta.url).href;
const model = (await import(address)) as Model;

/** `npm run model` looks at more. */
describe('model/', () => {
  it('finds no stale accept in the protocol, in all of its states', () => {
    const checked = model.checkProtocol(model.SMALL);
    expect(checked.map(({ complete, way }) => [complete, way])).toEqual(checked.map(() => [true, undefined]));
  });

  it('finds one for each wrong order', () => {
    const { 'two revokes': two, 'a long lease': long, 'two revokes, a longer lease': both } = model.WORLDS;
    const found = model.checkMistakes({ ...model.SMALL, two, long, both });
    expect(found.length).toBeGreaterThan(10);
    expect(found.filter(({ way }) => way === undefined)).toEqual([]);
  });
});
