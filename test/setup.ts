import { afterAll, vi } from 'vitest';

// Files share a process: what one of them leaves behind would be another's.
const environment = inOrder(process.env);

afterAll(() => {
  if (vi.isFakeTimers()) throw new Error('this file leaves a clock behind that it has replaced');
  if (inOrder(process.env) !== environment) throw new Error('this file leaves another environment behind');
});

function inOrder(variables: NodeJS.ProcessEnv): string {
  return JSON.stringify(Object.entries(variables).sort());
}
