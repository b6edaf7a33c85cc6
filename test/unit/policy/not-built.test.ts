import { expect, it } from 'vitest';
import { BUILT_IN_POLICIES } from '../../../src/policy/built-in-policies.js';
import { membersNotBuilt } from '../../../src/policy/policy-consistency.js';
import { policy } from './fixture.js';

it('names members that load and are not judged yet', () => {
  const tracking = policy({ require: { tpm: { trackResets: true, runtimePcrs: [10], quotedPcrs: [0] } } });
  expect(membersNotBuilt(tracking).map(({ pointer }) => pointer)).toEqual([
    '/require/tpm/trackResets',
    '/require/tpm/runtimePcrs',
  ]);
});

it('names nothing of a policy that is judged whole', () => {
  const ofVtpms = policy({ accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } });
  for (const whole of [...BUILT_IN_POLICIES, ofVtpms]) expect(membersNotBuilt(whole)).toEqual([]);
});
