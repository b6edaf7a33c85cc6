import { expect, it } from 'vitest';
import type { JsonObject } from '../../../src/model/json.js';
import { BUILT_IN_POLICIES } from '../../../src/policy/built-in-policies.js';
import { policyRemarks } from '../../../src/policy/policy-consistency.js';
import { policy } from './fixture.js';

const pointers = (...sets: readonly JsonObject[]) =>
  policyRemarks(policy({ accepts: ['tdx', 'az-snp-vtpm'], minimums: 'any', referenceValues: [...sets] })).map(
    ({ pointer }) => pointer,
  );

it('TPM-17 remarks on command lines that are listed without files, of a TPM and of a TD', () => {
  const commandLines = ['/vmlinuz ro'];
  expect(pointers({ tpm: { boot: { commandLines } } }, { tdx: { boot: { commandLines } } })).toEqual([
    '/referenceValues/0/tpm/boot',
    '/referenceValues/1/tdx/boot',
  ]);
  expect(pointers({ tpm: { boot: { commandLines, files: ['ab'.repeat(32)] } } })).toEqual([]);
  expect(pointers({ tpm: { boot: { files: ['ab'.repeat(32)] } } })).toEqual([]);
});

it('has nothing to say of the built-in policies', () => {
  for (const builtIn of BUILT_IN_POLICIES) expect(policyRemarks(builtIn)).toEqual([]);
});
