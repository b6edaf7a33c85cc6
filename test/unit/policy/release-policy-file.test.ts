import { expect, it } from 'vitest';
import { policyTextOptions } from '../../../src/files/policy-file.js';
import { parsePolicy } from '../../../src/policy/document/policy-document.js';
import { PolicyError } from '../../../src/policy/document/policy-problem.js';
import { releasePolicy } from './rule-flips.js';

const TEXT = JSON.stringify(releasePolicy('azure-compliant-cvm'));

it('a release policy is a policy for tokens, named as its file', () => {
  expect(parsePolicy(TEXT, policyTextOptions('/etc/policies/disk-key.json'))).toMatchObject({
    id: 'disk-key',
    version: 1,
    accepts: ['maa-token'],
    routes: { hardware: 'off', maa: 'off', ita: 'off' },
    freshness: 'required',
    text: TEXT,
    rules: [{ id: 'release-policy', language: 'akv', comparison: 'strict' }],
  });
});

it.each(['Disk Key.json', 'disk_key.yaml', '.json'])('a release policy in %s has no id', (name) => {
  expect(() => parsePolicy(TEXT, policyTextOptions(name))).toThrow(PolicyError);
});

it('a release policy that is none does not load', () => {
  const broken = JSON.stringify({ version: '1.0.0', anyOf: [] });
  expect(() => parsePolicy(broken, policyTextOptions('key.json'))).toThrow(/must not be empty/);
});
