import { describe, expect, it } from 'vitest';
import { FailureLog } from '../../../src/outside/exchange-log.js';
import { FetchError } from '../../../src/outside/fetch-error.js';
import { RecordingLog } from '../endorsements/recording-log.js';

const WHERE = 'https://ita.example';
const MESSAGE = 'gave no answer';
const timeout = new FetchError('timeout', 'no answer in time');
const refused = new FetchError('status', 'answered with status 403', { status: 403, cause: 'NoAccess' });

function opened() {
  const log = new RecordingLog();
  const said = () => log.entries.map(({ level, fields }) => [level, Object(fields).fault]);
  return { log, said, failures: new FailureLog(log, MESSAGE) };
}

describe('FailureLog', () => {
  it('warns once of each kind of failure, and says the rest at debug', () => {
    const { said, failures, log } = opened();
    for (const error of [timeout, timeout, refused, timeout, refused]) failures.failed(WHERE, error);
    expect(said()).toEqual([
      ['warn', 'timeout'],
      ['debug', 'timeout'],
      ['warn', 'status'],
      ['debug', 'timeout'],
      ['debug', 'status'],
    ]);
    const fields = { where: WHERE, fault: 'status', status: 403, reason: 'NoAccess' };
    expect(log.entries[2]).toEqual({ level: 'warn', message: MESSAGE, fields });
  });

  describe('where one status is answered', () => {
    const answered = (cause: unknown) => new FetchError('status', 'answered with status 400', { status: 400, cause });
    const levels = (causes: readonly unknown[]) => {
      const { said, failures } = opened();
      for (const cause of causes) failures.failed(WHERE, answered(cause));
      return said().map(([level]) => level);
    };

    it('warns once of each code', () => {
      const codes = ['UnsupportedApiVersion', 'InvalidRequest', 'UnsupportedApiVersion', undefined, 'InvalidRequest'];
      expect(levels(codes)).toEqual(['warn', 'warn', 'debug', 'warn', 'debug']);
    });

    it('takes sentences and errors for one kind, since each can be another', () => {
      const causes = ['request 1 failed', 'request 2 failed', new Error('Third'), 'x'.repeat(65)];
      expect(levels(causes)).toEqual(['warn', 'debug', 'debug', 'debug']);
    });

    it('warns of 32 kinds at most', () => {
      const codes = Array.from({ length: 40 }, (_, index) => 'a'.repeat(index + 1));
      expect(levels(codes).filter((level) => level === 'warn')).toHaveLength(32);
    });
  });

  it('warns again after an answer, and of another place', () => {
    const { said, failures } = opened();
    failures.failed(WHERE, timeout);
    failures.failed('https://other.example', timeout);
    failures.answered(WHERE);
    failures.failed(WHERE, timeout);
    expect(said().map(([level]) => level)).toEqual(['warn', 'warn', 'warn']);
  });

  it.each(['open', 'waiting', 'busy'] as const)('says nothing of what was not asked: %s', (fault) => {
    const { said, failures } = opened();
    failures.failed(WHERE, new FetchError(fault, 'not asked'));
    expect(said()).toEqual([]);
  });
});
