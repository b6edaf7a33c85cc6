import { Client } from './client.js';
import { MeasuredProcess } from './measured-process.js';
import type { Material } from './protocol.js';

/** The garbage of a service, over a number of stretches of time. */
export interface Garbage {
  /** On the heap of JavaScript, of one request. */
  readonly kilobytes: readonly number[];
  /** The longest that the collector stopped the service in one piece, in milliseconds. */
  readonly longestPausesMs: readonly number[];
}

/** One line of `--trace-gc`. */
interface Collection {
  readonly atMs: number;
  readonly megabytes: number;
  readonly pauseMs: number;
}

/** A stretch is long enough for a collection of the whole heap or two. */
const [WARM_UP, STRETCHES, REQUESTS] = [2_000, 5, 2_000];

/** Known chips in a service of their own, whose runtime prints each garbage collection. */
export async function measureGarbage({ service, bodies }: Material): Promise<Garbage> {
  const process = new MeasuredProcess(service.folder, ['--trace-gc']);
  try {
    const client = new Client(await process.serve(service), bodies.snp);
    await client.verify(WARM_UP);
    const borders = [(await process.ask({ ask: 'usage' })).upMs];
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      await client.verify(REQUESTS);
      borders.push((await process.ask({ ask: 'usage' })).upMs);
    }
    await client.close();
    const collections = (await process.stop()).split('\n').flatMap(read);
    const stretches = borders.slice(1).map((end, index) => {
      const start = borders[index] ?? end;
      return collections.filter(({ atMs }) => atMs > start && atMs <= end);
    });
    return {
      kilobytes: stretches.map((all) => all.reduce((sum, { megabytes }) => sum + megabytes * 1024, 0) / REQUESTS),
      longestPausesMs: stretches.map((all) => Math.max(0, ...all.map(({ pauseMs }) => pauseMs))),
    };
  } finally {
    process.kill();
  }
}

/** Time, heap before and after, and the pause; incremental marking pauses the program in steps before that. */
const LINE =
  /(\d+) ms: .* (\d+\.\d) \(\d+\.\d\) -> (\d+\.\d) \(\d+\.\d\) MB, (\d+\.\d+) \/ .*? ms(?:.*biggest step (\d+\.\d+) ms)?/;

function read(line: string): readonly Collection[] {
  const found = LINE.exec(line);
  if (found === null) return [];
  const [atMs = 0, before = 0, after = 0, pause = 0, step = 0] = found.slice(1).map((text) => Number(text ?? 0));
  return [{ atMs, megabytes: before - after, pauseMs: Math.max(pause, step) }];
}
