import { expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.js';
import { BUILT_IN_POLICIES } from '../../../../src/policy/document/built-in-policies.js';
import { lintEventLogs } from '../../../../src/policy/lint/lint-event-logs.js';
import { policy } from '../fixture.js';

const remarksOn = (members: JsonObject) =>
  lintEventLogs(policy({ accepts: ['tdx', 'az-snp-vtpm'], minimums: 'any', ...members })).map(({ pointer }) => pointer);
const pointers = (...sets: readonly JsonObject[]) => remarksOn({ referenceValues: [...sets] });
const mrtd = ['ab'.repeat(48)];

it('TPM-17 remarks on command lines that are listed without files, of a TPM and of a TD', () => {
  const commandLines = ['/vmlinuz ro'];
  expect(pointers({ tpm: { boot: { commandLines } } }, { tdx: { mrtd, boot: { commandLines } } })).toEqual([
    '/referenceValues/0/tpm/boot',
    '/referenceValues/1/tdx/boot',
  ]);
  expect(pointers({ tpm: { boot: { commandLines, files: ['ab'.repeat(32)] } } })).toEqual([]);
  expect(pointers({ tpm: { boot: { files: ['ab'.repeat(32)] } } })).toEqual([]);
});

it('remarks on the boot of a TD whose firmware is not listed', () => {
  const boot = { applications: ['ab'.repeat(48)] };
  expect(pointers({ tdx: { boot } }, { tdx: { boot, mrtd } }, { tdx: { rtmr0: mrtd } })).toEqual([
    '/referenceValues/0/tdx/boot',
  ]);
});

it('remarks on Secure Boot that is required of TDs whose firmware is not listed', () => {
  const required = (members: JsonObject) => remarksOn({ secureBoot: 'required', ...members });
  const known = { tdx: { mrtd } };
  expect(required({})).toEqual(['/secureBoot']);
  expect(required({ referenceValues: [known, { tpm: { boot: { db: ['ab'.repeat(32)] } } }] })).toEqual(['/secureBoot']);
  expect(required({ referenceValues: [known] })).toEqual([]);
  expect(required({ accepts: ['az-snp-vtpm'] })).toEqual([]);
  expect(remarksOn({})).toEqual([]);
});

it('has nothing to say of the built-in policies', () => {
  for (const builtIn of BUILT_IN_POLICIES) expect(lintEventLogs(builtIn)).toEqual([]);
});
