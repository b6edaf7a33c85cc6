import type { CommandMistake } from './mistake.js';

/** Mistakes in the environment. */
export const ENVIRONMENT_MISTAKES: readonly CommandMistake[] = [
  {
    title: 'a variable that names no key',
    given: 'VERITEE__LISTN__PORT=8080 veritee config',
    action: { args: ['config'], environment: { VERITEE__LISTN__PORT: '8080' } },
    answer: { exitCode: 1, text: 'VERITEE__LISTN__PORT: unknown key' },
  },
];
