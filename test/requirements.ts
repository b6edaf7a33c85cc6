import { spawnSync } from 'node:child_process';

/** Something of the machine that a suite cannot do without: a command that succeeds where it is there. */
export interface Requirement {
  readonly what: string;
  readonly command: readonly string[];
}

/**
 * Whether a suite has to be left out. Says why; in CI, where everything is installed, that is a failure instead.
 */
export function isLacking(suite: string, requirements: readonly Requirement[]): boolean {
  const lacking = requirements.filter(({ command: [program = '', ...args] }) => {
    return spawnSync(program, args, { stdio: 'ignore' }).status !== 0;
  });
  if (lacking.length === 0) return false;
  const message = `left out: ${suite}, since this machine lacks ${lacking.map(({ what }) => what).join(', ')}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  process.stderr.write(`${message}\n`);
  return true;
}
