import { describe, expect, it } from 'vitest';
import { OpenParts, openAllOrNone } from '../../../src/app/open-parts.js';
import { RecordingLog } from '../endorsements/recording-log.js';

/** Parts that say when they are closed, those of the names given by failing. */
function opened(...failing: readonly string[]) {
  const closed: string[] = [];
  const parts = new OpenParts();
  for (const name of ['first', 'second', 'third']) {
    parts.add({
      close: async () => {
        closed.push(name);
        if (failing.includes(name)) throw new Error(name);
      },
    });
  }
  return { parts, closed };
}

describe('open parts', () => {
  it('are closed the other way round, each once', async () => {
    const { parts, closed } = opened();
    await Promise.all([parts.close(), parts.close()]);
    await parts.close();
    expect(closed).toEqual(['third', 'second', 'first']);
  });

  it('wait for each other', async () => {
    const closed: string[] = [];
    const parts = new OpenParts();
    parts.add({ close: () => void closed.push('first') });
    parts.add({
      close: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        closed.push('second');
      },
    });
    await parts.close();
    expect(closed).toEqual(['second', 'first']);
  });

  it('are closed whatever becomes of the others, and the first failure is told', async () => {
    const { parts, closed } = opened('second', 'first');
    await expect(parts.close()).rejects.toThrow('second');
    expect(closed).toEqual(['third', 'second', 'first']);
  });

  it('are handed through', () => {
    const part = { close: () => undefined, name: 'store' };
    expect(new OpenParts().add(part)).toBe(part);
  });
});

describe('what is opened all or none', () => {
  it('stays open where it could be opened', async () => {
    const closed: string[] = [];
    const whole = await openAllOrNone(new RecordingLog(), async (parts) => {
      parts.add({ close: () => void closed.push('first') });
      return 'whole';
    });
    expect([whole, closed]).toEqual(['whole', []]);
  });

  it('is closed where it could not, and what it failed with is told', async () => {
    const closed: string[] = [];
    const log = new RecordingLog();
    const opening = openAllOrNone(log, async (parts) => {
      parts.add({ close: () => void closed.push('first') });
      throw new Error('second');
    });
    await expect(opening).rejects.toThrow('second');
    expect([closed, log.entries]).toEqual([['first'], []]);
  });

  it('fails with the same where a part cannot be closed, which is in the log', async () => {
    const log = new RecordingLog();
    const opening = openAllOrNone(log, async (parts) => {
      parts.add({
        close: () => {
          throw new Error('first');
        },
      });
      throw new Error('second');
    });
    await expect(opening).rejects.toThrow('second');
    expect(log.entries).toMatchObject([{ level: 'error', message: 'closing failed' }]);
  });
});
