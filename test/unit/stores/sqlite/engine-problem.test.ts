import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../../../src/core/decision-log.js';
import { notOpened } from '../../../../src/stores/sqlite/engine-problem.js';

const failed = (code: string, message: string) => Object.assign(new Error(message), { code });

describe('STO-05 a store that was not opened', () => {
  it.each([
    ['ERR_DLOPEN_FAILED', 'librt.so.1: cannot open shared object file'],
    ['MODULE_NOT_FOUND', "Cannot find module '@libsql/linux-arm64-musl'"],
    ['ERR_MODULE_NOT_FOUND', "Cannot find package 'libsql'"],
  ])('says that the engine does not load, and what to do, for %s', (code, message) => {
    const error = notOpened(failed(code, message));
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toContain(
      `the SQLite engine does not load on ${process.platform} ${process.arch} (${message})`,
    );
    expect(error.message).toContain(
      'install with npm ci without --omit=optional, or set stores.url to a postgres:// address',
    );
  });

  it.each([
    failed('ERR_MODULE_NOT_FOUND', "Cannot find module './worker.js'"),
    new Error('file is not a database'),
    new StoreUnavailableError('it is a SQLite database of another program'),
  ])('says nothing of the engine for another fault: %s', (fault) => {
    const error = notOpened(fault);
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error.message).toBe(fault.message);
  });
});
