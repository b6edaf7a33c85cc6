import type { ConfiguredFiles } from '../model/configured-files.js';

/** How a file or folder is asked for. */
export type FileQuestion = {
  readonly [Operation in keyof ConfiguredFiles]: { readonly operation: Operation; readonly path: string };
}[keyof ConfiguredFiles];

type Answers = Map<string, Promise<unknown>>;

/**
 * What configured files held at one moment, for every process of a service. Each is read from the disk once, when the first one
 * asks; what the disk holds later changes nothing in it. Nobody has to know beforehand which files there are.
 */
export class FileBundle {
  readonly #disk: ConfiguredFiles;
  /** By part, then by question: a part that is not taken over must not take another one's files along. */
  readonly #parts: Map<string, Answers>;

  /** Whether what nobody has asked for yet may still be read from the disk. */
  readonly #isClosed: boolean;

  constructor(disk: ConfiguredFiles, parts: ReadonlyMap<string, Answers> = new Map(), isClosed = false) {
    this.#disk = disk;
    this.#parts = new Map(parts);
    this.#isClosed = isClosed;
  }

  /** @throws {unknown} what reading from the disk threw, each time */
  ask(part: string, question: FileQuestion): Promise<unknown> {
    const answers = this.#parts.get(part) ?? new Map<string, Promise<unknown>>();
    this.#parts.set(part, answers);
    const name = JSON.stringify([question.operation, question.path]);
    const known = answers.get(name);
    if (known !== undefined) return known;
    if (this.#isClosed) return Promise.reject(new Error(`${question.path} was not read when ${part} was taken over`));
    const answer = this.#disk[question.operation](question.path);
    // Whoever asks hears of it.
    answer.catch(() => {});
    answers.set(name, answer);
    return answer;
  }

  /** The same, with some parts as another bundle has them. Nothing is added to it any more. */
  with(parts: Iterable<string>, from: FileBundle): FileBundle {
    const taken = new Map(this.#parts);
    for (const part of parts) taken.set(part, from.#parts.get(part) ?? new Map());
    return new FileBundle(this.#disk, taken, true);
  }

  /** The same, to which nothing is added from the disk any more. */
  closed(): FileBundle {
    return new FileBundle(this.#disk, this.#parts, true);
  }
}

/** Configured files that another process, or a bundle, reads. */
export function filesBy(ask: (question: FileQuestion) => Promise<unknown>): ConfiguredFiles {
  const answer =
    <Operation extends keyof ConfiguredFiles>(operation: Operation) =>
    (path: string) =>
      ask({ operation, path }) as ReturnType<ConfiguredFiles[Operation]>;
  return { read: answer('read'), names: answer('names'), mark: answer('mark'), policies: answer('policies') };
}
