import type { CommandMistake } from './mistake.js';

/** Mistakes in YAML files. */
export const YAML_MISTAKES: readonly CommandMistake[] = [
  {
    title: 'a key of the configuration that does not exist',
    given: 'veritee config --config veritee.yaml, with listen: { prot: 8080 }',
    action: { args: ['config', '--config', 'veritee.yaml'], files: { 'veritee.yaml': 'listen: { prot: 8080 }\n' } },
    answer: { exitCode: 1, text: 'listen.prot: unknown key' },
  },
];
