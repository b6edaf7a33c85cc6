import type { LookupFunction } from 'node:net';

/**
 * A resolver under which every name is the machine itself, so that nothing asks a real one.
 *
 * @param resolves whether names resolve, asked each time
 */
export function labLookup(resolves: () => boolean): LookupFunction {
  return (_name, options, done) => {
    if (!resolves()) done(new Error('ENOTFOUND'), '', 4);
    else if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
    else done(null, '127.0.0.1', 4);
  };
}
