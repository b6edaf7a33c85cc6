import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const [SERVER_CPU, CLIENT_CPU] = ['0', '1'];

/** Whether what is measured can have one CPU and the client another. */
export const canPin = availableParallelism() > 1 && taskset('-c', SERVER_CPU, 'true');

/** The command, bound to the CPU of what is measured where that can be done. */
export function onServerCpu(command: string, args: readonly string[]): [string, string[]] {
  return canPin ? ['taskset', ['-c', SERVER_CPU, command, ...args]] : [command, [...args]];
}

/** Binds all threads of this process, which is the client. */
export function pinClient(): void {
  if (canPin) taskset('-acp', CLIENT_CPU, String(process.pid));
}

function taskset(...args: readonly string[]): boolean {
  return spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
}
