import { EXPECTED_OUTCOMES, FAULTS, type Fault, NO_CELLS, WORDS } from './expected-outcomes.js';

export const NO_CELL = '-';

/** A row of the table: outcomes by fault, as words. */
export interface ExpectedRow {
  /** Dependency, and what is held. */
  readonly label: string;
  readonly words: ReadonlyMap<Fault, string>;
}

/** The table that is expected. @throws {Error} if it is no table */
export function expectedRows(): readonly ExpectedRow[] {
  const [head = '', ...lines] = EXPECTED_OUTCOMES.trim().split('\n');
  const [, ...columns] = cellsOf(head);
  const isOfFaults = columns.length === Object.keys(FAULTS).length && columns.join() === faultNames().join();
  if (!isOfFaults) throw new Error('the columns of the table are not the faults');
  return lines.map((line) => {
    const [label = '', ...words] = cellsOf(line);
    const isWhole = words.length === columns.length && words.every((word) => word === NO_CELL || WORDS.has(word));
    if (!isWhole) throw new Error(`not a row of the table: ${line}`);
    return { label, words: new Map(faultNames().map((fault, index) => [fault, words[index] ?? NO_CELL])) };
  });
}

/** The observed outcomes, by row and fault. */
export class SeenOutcomes {
  readonly #words = new Map<string, string>();

  set(label: string, fault: Fault, outcome: string): void {
    const [word = outcome] = [...WORDS].find(([, known]) => known === outcome) ?? [];
    this.#words.set(`${label} ${fault}`, word);
  }

  /** The table as it was seen, with what it means. A cell that is not as expected is marked. */
  get lines(): readonly string[] {
    const [head = ''] = EXPECTED_OUTCOMES.trim().split('\n');
    const rows = expectedRows().map(({ label, words }) => {
      const seen = [...words].map(([fault, expected]) => {
        if (expected === NO_CELL) return NO_CELL;
        const word = this.#words.get(`${label} ${fault}`) ?? '?';
        return word === expected ? word : `${word}(!)`;
      });
      return [label.padEnd(LABEL), ...seen.map((word) => word.padEnd(WORD))].join('').trimEnd();
    });
    return [head, ...rows, '', ...legend()];
  }
}

const [LABEL, WORD] = [36, 7];

function legend(): readonly string[] {
  const used = [...WORDS].filter(([word, outcome]) => word !== outcome);
  return [
    ...Object.entries(FAULTS).map(([fault, what]) => `${fault.padEnd(WORD)}${what}`),
    '',
    ...used.map(([word, outcome]) => `${word.padEnd(WORD)}${outcome}`),
    '',
    ...NO_CELLS.map((why) => `${NO_CELL.padEnd(WORD)}${why}`),
  ];
}

function faultNames(): readonly Fault[] {
  // Names that are numbers come first where an object is listed; the head of the table has their order.
  const [, ...names] = cellsOf(EXPECTED_OUTCOMES.trim().split('\n', 1)[0] ?? '');
  return names.filter((name): name is Fault => Object.hasOwn(FAULTS, name));
}

function cellsOf(line: string): readonly string[] {
  const label = line.slice(0, LABEL).trim();
  return [label, ...line.slice(LABEL).trim().split(/\s+/)];
}
