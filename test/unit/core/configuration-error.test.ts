import { describe, expect, it } from 'vitest';
import { allOrProblems, ConfigurationError } from '../../../src/core/errors.js';

describe('a configuration error', () => {
  it('says each problem with its place, and keeps the path', () => {
    const error = new ConfigurationError([
      { path: ['tpm', 'roots', 0], what: 'x.pem: is empty' },
      { path: ['listen'], what: 'wrong', text: 'a.yaml line 1: listen: wrong' },
      { path: [], what: 'is not YAML' },
      'policies: cannot be read',
    ]);
    expect(error.problems).toEqual([
      'tpm.roots[0]: x.pem: is empty',
      'a.yaml line 1: listen: wrong',
      'is not YAML',
      'policies: cannot be read',
    ]);
    expect(error.placed.map(({ path }) => path)).toEqual([['tpm', 'roots', 0], ['listen'], [], []]);
  });
});

describe('several readings', () => {
  const failing = async (what: string) => {
    throw new ConfigurationError([{ path: ['tpm'], what }]);
  };

  it('come to what each of them is', async () => {
    expect(await allOrProblems([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
  });

  it('fail with the problems of all that fail', async () => {
    const all = allOrProblems([failing('a'), Promise.resolve(), failing('b')]);
    await expect(all).rejects.toMatchObject({ name: 'ConfigurationError', problems: ['tpm: a', 'tpm: b'] });
  });

  it('fail with the one error as it is, so that its cause is kept', async () => {
    const error = new ConfigurationError(['a'], { cause: new Error('why') });
    await expect(allOrProblems([Promise.reject(error), Promise.resolve()])).rejects.toBe(error);
  });

  it('fail with what is no fault of the configuration, whatever else is wrong', async () => {
    const fault = new TypeError('x');
    await expect(allOrProblems([failing('a'), Promise.reject(fault), failing('b')])).rejects.toBe(fault);
    await expect(allOrProblems([Promise.reject(fault)])).rejects.toBe(fault);
  });
});
