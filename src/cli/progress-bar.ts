import { SingleBar } from 'cli-progress';

/** Shows the progress of a command. */
export interface Progress {
  start(total: number): void;
  advance(): void;
  end(): void;
}

/** A bar on a terminal, otherwise no output. */
export function progressBar(stream: NodeJS.WriteStream): Progress {
  const bar = new SingleBar({
    stream,
    format: '[{bar}] {value}/{total}  {eta_formatted} left',
    barCompleteChar: '#',
    barIncompleteChar: '-',
    barsize: 40,
    hideCursor: true,
    clearOnComplete: true,
    // A signal ends the command, which then ends the bar.
    gracefulExit: false,
  });
  return {
    start: (total) => bar.start(total, 0),
    advance: () => bar.increment(),
    end: () => bar.stop(),
  };
}
