import type { Command } from 'commander';
import { aligned, bold, writeOut, type Answer } from './answer.js';
import { showingProgress } from './progress.js';

/** This many rows are read and printed at a time. */
export const PAGE = 1_000;

/** How one row of a list looks, for people and for programs. */
export interface Listing<R> {
  /** What the rows are, for the line of progress: "users". */
  readonly of: string;
  readonly headings: readonly string[];
  cells(row: R): readonly string[];
  publicOf(row: R): unknown;
}

/**
 * Prints a list page by page, as a table or as one JSON array, so that a million rows need no more memory than a thousand. It
 * ends when the reader has seen enough (`| head`). The first page decides how wide the columns are, and they grow if need be.
 */
export async function printList<R>(
  pages: AsyncIterable<readonly R[]>,
  listing: Listing<R>,
  command: Command,
): Promise<Answer> {
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  const texts = json ? jsonTexts(pages, listing) : tableTexts(pages, listing);
  await showingProgress(async (tell) => {
    for await (const { text, count } of texts) {
      if (!(await writeOut(text))) return;
      // if the list itself appears on the terminal, it needs no line of progress
      if (!process.stdout.isTTY) tell(`${listing.of}: ${count}`);
    }
  });
  return { json: undefined, text: '' };
}

interface Part {
  readonly text: string;
  /** How many rows there were until here. */
  readonly count: number;
}

/** The array as `JSON.stringify` writes it whole. */
async function* jsonTexts<R>(
  pages: AsyncIterable<readonly R[]>,
  { publicOf }: Listing<R>,
): AsyncGenerator<Part> {
  let count = 0;
  for await (const page of pages) {
    const items = page.map((row) => JSON.stringify(publicOf(row))).join(',');
    if (page.length > 0) yield { text: (count === 0 ? '[' : ',') + items, count: (count += page.length) };
  }
  yield { text: count === 0 ? '[]\n' : ']\n', count };
}

async function* tableTexts<R>(
  pages: AsyncIterable<readonly R[]>,
  { headings, cells }: Listing<R>,
): AsyncGenerator<Part> {
  let count = 0;
  let wide: readonly number[] | undefined;
  for await (const page of pages) {
    const lines = wide ? page.map(cells) : [bold(headings), ...page.map(cells)];
    if (lines.length === 0) continue;
    const { text, widths } = aligned(lines, wide);
    wide = widths;
    yield { text: `${text}\n`, count: (count += page.length) };
  }
}
