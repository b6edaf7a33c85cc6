import { expect, it } from 'vitest';
import type { UsedEndorsement } from '../../../src/core/endorsement.js';
import { endorsementGroups } from '../../../src/wire/present-endorsements.js';
import { TDX_DECISION } from './sample-decision.js';

const used = (kind: UsedEndorsement['kind'], more: Partial<UsedEndorsement> = {}): UsedEndorsement => ({
  kind,
  sha256: 'ab'.repeat(32),
  source: 'evidence',
  notAfter: new Date('2030-01-01T00:00:00Z'),
  fetchedAt: null,
  revocation: 'not_applicable',
  ...more,
});

const namesOf = (endorsements: readonly UsedEndorsement[]) =>
  endorsementGroups(endorsements).map(({ text, parts = [] }) => [text, parts.map((part) => part.text)]);

it('each path is listed from the leaf to the root, then token keys, CRLs and collateral', () => {
  const kinds = ['token-key', 'ark', 'asvk', 'vlek', ...TDX_DECISION.endorsements.map(({ kind }) => kind)] as const;
  expect(namesOf(kinds.toReversed().map((kind) => used(kind)))).toEqual([
    ['path from the SNP report to the root of AMD', ['VLEK', 'ASVK', 'ARK']],
    ['path from the TD quote to the root of Intel', ['PCK certificate', 'PCK CA', 'SGX root CA']],
    ['path from the attestation key of the vTPM to its root', ['AK certificate', 'AK CA']],
    ['token keys', ['token key']],
    ['CRLs', ['CRL']],
    ['collateral of Intel', ['TCB signing certificate', 'TCB info', 'QE identity']],
  ]);
});

it('several of one kind keep their order', () => {
  const list = [used('ak-ca', { sha256: '1' }), used('ak'), used('ak-ca', { sha256: '2' })];
  const [path] = endorsementGroups(list);
  expect(path?.parts?.map(({ note }) => note?.split(' ').at(-1))).toEqual(['ab'.repeat(32), '1', '2']);
});

it.each([
  ['good', ', not revoked, '],
  ['revoked', ', revoked, '],
  ['unavailable', ', revocation unknown, '],
  ['not_applicable', '00Z, '],
] as const)('a revocation state %s is said in words', (revocation, said) => {
  expect(endorsementGroups([used('ask', { revocation })])[0]?.parts?.[0]?.note).toBe(
    `certifies the VCEK; from the evidence, valid until 2030-01-01T00:00:00Z${said.replace('00Z', '')}SHA-256 ${'ab'.repeat(32)}`,
  );
});

it('a token key without certificate has no end', () => {
  const [keys] = endorsementGroups([used('token-key', { notAfter: null, source: 'store' })]);
  expect(keys?.parts?.[0]?.note).toBe(
    `verifies the signature of a token; from a file of the operator, SHA-256 ${'ab'.repeat(32)}`,
  );
});
