import { beforeEach, expect, it } from 'vitest';
import { Reach } from '../../../../src/stores/redis/reach.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

let log: RecordingLog;
let seconds: number;
let reach: Reach;

beforeEach(() => {
  log = new RecordingLog();
  seconds = 0;
  reach = new Reach({ store: 'cache:6379', of: 'decisions' }, { monotonicMs: () => seconds * 1000 }, log);
});

const told = () => log.entries.map(({ level, message, fields }) => [level, message, fields]);

it('says once that a store is out of reach, and once that it answers again', () => {
  reach.answered();
  reach.failed(new Error('closed'), false);
  seconds = 7;
  reach.failed(new Error('refused'), false);
  reach.failed('refused', false);
  seconds = 12;
  reach.answered();
  reach.answered();
  expect(told()).toEqual([
    ['error', 'store out of reach', { store: 'cache:6379', of: 'decisions', why: 'closed' }],
    ['info', 'store answers again', { store: 'cache:6379', of: 'decisions', seconds: 12, failures: 3 }],
  ]);
});

it('says also what somebody has to put right, each reason once as long as it is the last', () => {
  reach.failed(new Error('closed'), false);
  for (const why of ['policy', 'policy', 'password']) reach.failed(new Error(why), true);
  reach.failed(new Error('closed'), false);
  reach.failed(new Error('password'), true);
  expect(told()).toEqual([
    ['error', 'store out of reach', { store: 'cache:6379', of: 'decisions', why: 'closed' }],
    ['error', 'store cannot be used', { store: 'cache:6379', of: 'decisions', why: 'policy' }],
    ['error', 'store cannot be used', { store: 'cache:6379', of: 'decisions', why: 'password' }],
  ]);
});

it('begins anew with the next outage', () => {
  for (const why of ['closed', 'closed']) {
    reach.failed(new Error(why), false);
    reach.answered();
  }
  expect(told().map(([, message]) => message)).toEqual([
    'store out of reach',
    'store answers again',
    'store out of reach',
    'store answers again',
  ]);
});
