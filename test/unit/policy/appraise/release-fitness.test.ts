import { expect, it } from 'vitest';
import { lackingForRelease } from '../../../../src/policy/appraise/release-fitness.js';
import { parsePolicy } from '../../../../src/policy/document/policy-document.js';

const FIT = {
  apiVersion: 'veritee/v1',
  id: 'keys',
  version: 1,
  accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
  minimums: 'any',
  nonce: 'challenge',
  binding: 'required',
};

const lacking = (members: object) => lackingForRelease(parsePolicy(JSON.stringify({ ...FIT, ...members })));

it('a policy with all that a release needs lacks nothing', () => {
  expect(lacking({})).toEqual([]);
});

it.each([
  [{ freshness: 'none' }, ['freshness: strict or required']],
  [{ nonce: 'any' }, ['nonce: challenge']],
  [{ binding: 'optional' }, ['binding: required']],
  [{ paravisor: 'any' }, ['paravisor: known']],
  [{ accepts: ['snp', 'az-snp-vtpm'], paravisor: 'any' }, ['paravisor: known']],
  [
    {
      accepts: ['maa-token'],
      routes: { hardware: 'off', maa: 'required' },
      require: { maa: { complianceStatus: ['azure-compliant-cvm'] } },
    },
    ['routes: { hardware: required }'],
  ],
  [{ nonce: 'any', binding: 'optional' }, ['nonce: challenge', 'binding: required']],
])('REL-04 %j lacks %j', (members, expected) => {
  expect(lacking(members)).toEqual(expected);
});

it.each(['strict', 'required'])('REL-04 freshness %s leaves an old report to its warning, or denies', (freshness) => {
  expect(lacking({ freshness })).toEqual([]);
});

it('evidence without a paravisor needs none that is known', () => {
  expect(lacking({ accepts: ['snp', 'tdx'], paravisor: undefined })).toEqual([]);
});
