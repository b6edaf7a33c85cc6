import { expect, it } from 'vitest';
import { sayPoliciesReloaded } from '../../../../src/app/reload/policy-changes.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const named = (id: string, version: number, sha256: string) => ({ id, version, sha256 });

function said(before: Parameters<typeof sayPoliciesReloaded>[0], inForce: typeof before) {
  const log = new RecordingLog();
  sayPoliciesReloaded(before, inForce, {}, log);
  return log.entries;
}

it('says which policies a reload has added, changed and removed', () => {
  const before = [named('same', 1, 'aa'), named('newer', 1, 'bb'), named('gone', 1, 'cc')];
  const policies = [named('same', 1, 'aa'), named('newer', 2, 'dd'), named('new', 1, 'ee')];
  const fields = { policies, added: ['new'], changed: ['newer'], removed: ['gone'] };
  expect(said(before, policies)).toEqual([{ level: 'info', message: 'policies reloaded', fields }]);
});

it('warns of another text under the same version, and of a lower version', () => {
  const [, ...warnings] = said([named('a', 2, 'aa'), named('b', 2, 'bb')], [named('a', 2, 'cc'), named('b', 1, 'dd')]);
  expect(warnings).toEqual([
    {
      level: 'warn',
      message: 'policy has changed, and its version has not',
      fields: { policy: 'a', version: 2, sha256: 'cc', before: { version: 2, sha256: 'aa' } },
    },
    {
      level: 'warn',
      message: 'policy has a lower version than before',
      fields: { policy: 'b', version: 1, sha256: 'dd', before: { version: 2, sha256: 'bb' } },
    },
  ]);
});
