import { execFileSync } from 'node:child_process';

/** POSIX, and so on every machine that the tests run on; Node has no call for it. */
const COMMAND = 'mkfifo';

/** Makes a named pipe that nobody writes to: whoever opens it to read waits for ever. */
export function makePipe(path: string): void {
  execFileSync(COMMAND, [path]);
}
