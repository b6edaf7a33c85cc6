import type { CommandMistake } from './mistake.js';

/** Mistakes on the command line. */
export const COMMAND_LINE_MISTAKES: readonly CommandMistake[] = [
  {
    title: 'an option that does not exist',
    given: 'veritee config --cnfig veritee.yaml',
    action: { args: ['config', '--cnfig', 'veritee.yaml'] },
    answer: { exitCode: 1, text: "error: unknown option '--cnfig'\n(Did you mean --config?)" },
  },
];
