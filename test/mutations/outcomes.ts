import { appendFileSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

/** Which changes were noticed, and which test files ended. Processes share it: it is two files. */
export class Outcomes {
  readonly path: string;
  /** One octet for each change. */
  readonly #file: number;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'r+');
  }

  /** Makes the files. */
  static create(path: string, changes: number): Outcomes {
    appendFileSync(path, Buffer.alloc(changes));
    appendFileSync(endedIn(path), '');
    return new Outcomes(path);
  }

  isNoticed(change: number): boolean {
    const octet = Buffer.alloc(1);
    readSync(this.#file, octet, 0, 1, change);
    return octet[0] === 1;
  }

  notice(change: number): void {
    writeSync(this.#file, Buffer.of(1), 0, 1, change);
  }

  /** @param problem why the tests of the file say nothing, null if they do */
  end(testFile: string, problem: string | null): void {
    appendFileSync(endedIn(this.path), `${JSON.stringify({ testFile, problem })}\n`);
  }

  ended(): readonly { readonly testFile: string; readonly problem: string | null }[] {
    const lines = readFileSync(endedIn(this.path), 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }
}

function endedIn(path: string): string {
  return `${path}-ended`;
}
