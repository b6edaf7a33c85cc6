import type { HttpMistake } from './mistake.js';

/** Mistakes over HTTP. */
export const HTTP_MISTAKES: readonly HttpMistake[] = [
  {
    title: 'a path that does not exist',
    given: 'GET /nothing',
    action: { call: { method: 'GET', target: '/nothing' } },
    answer: { status: 404, code: 'not_found', detail: 'nothing is here' },
  },
];
