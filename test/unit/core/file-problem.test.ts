import { expect, it } from 'vitest';
import { fileProblem, folderProblem, isSystemError, outputProblem } from '../../../src/core/file-problem.js';

/** As node makes the errors of the system. */
function systemError(code: string): Error {
  return Object.assign(new Error(code), { code, syscall: 'open' });
}

const LOOP = 'cannot be read: its name is a symbolic link that leads in a circle';
const LONG = 'cannot be read: its name is too long for the system';
const FULL = 'cannot be read: this process has too many files open';
const DISK = 'cannot be read: the disk or the file system fails';

it.each([
  ['ENOENT', 'there is no such file', 'there is no such folder'],
  ['ENOTDIR', 'there is no such file', 'is a file, and a folder is expected'],
  ['EISDIR', 'is a directory, and a file is expected', 'cannot be read (EISDIR)'],
  ['EACCES', 'the user of this process may not read it', 'the user of this process may not read it'],
  ['EPERM', 'the user of this process may not read it', 'the user of this process may not read it'],
  ['ELOOP', LOOP, LOOP],
  ['ENAMETOOLONG', LONG, LONG],
  ['EMFILE', FULL, FULL],
  ['EIO', DISK, DISK],
  ['ENXIO', 'cannot be read (ENXIO)', 'cannot be read (ENXIO)'],
])('says of %s what it means for a file and for a folder', (code, ofFile, ofFolder) => {
  expect([fileProblem(systemError(code)), folderProblem(systemError(code))]).toEqual([ofFile, ofFolder]);
});

it('says no more of what is no error of the system', () => {
  const fault = new TypeError('constructor');
  expect([fileProblem(fault), folderProblem('x'), isSystemError(fault)]).toEqual([
    'cannot be read',
    'cannot be read',
    false,
  ]);
  expect(folderProblem(systemError('constructor'))).toBe('cannot be read (constructor)');
});

it.each([
  ['ENOSPC', 'cannot be written: no space is left'],
  ['ENOENT', 'cannot be written: there is no such folder'],
  ['ENOTDIR', 'cannot be written: there is no such folder'],
  ['EPIPE', 'cannot be written: nothing reads it any more'],
  ['EROFS', 'cannot be written: the file system is read-only'],
  ['EPERM', 'cannot be written: the user of this process may not write it'],
  ['EACCES', 'cannot be written: the user of this process may not write it'],
  ['ELOOP', 'cannot be written: its name is a symbolic link that leads in a circle'],
  ['EIO', 'cannot be written: the disk or the file system fails'],
  ['ENXIO', 'cannot be written (ENXIO)'],
])('says of %s what it means for what is written', (code, message) => {
  expect(outputProblem(systemError(code))).toBe(message);
});
