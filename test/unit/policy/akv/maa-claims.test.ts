import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../../../src/core/json.js';
import { parseStrictJson } from '../../../../src/formats/strict-json.js';
import { type ClaimForm, maaClaim } from '../../../../src/policy/akv/maa-claims.js';
import { azureVmClaims, tdxVmClaims } from '../../../lab/maa-claims.js';
import { haveVectors, readVector } from '../../../vectors.js';

const FORMS: Readonly<Record<ClaimForm, (value: JsonValue) => boolean>> = {
  text: (value) => typeof value === 'string',
  hex: (value) => typeof value === 'string' && /^[0-9a-f]+$/.test(value),
  guid: (value) => typeof value === 'string' && /^[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i.test(value),
  number: (value) => Number.isInteger(value) && Number(value) >= 0,
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  list: Array.isArray,
};

/** Claims whose content is the guest's. */
const FREE = /(?:^|\.)x-ms-runtime\.(?!vm-configuration)/;

/** Every claim by its path, those within objects too. */
function paths(claims: JsonObject, before = ''): readonly (readonly [string, JsonValue])[] {
  return Object.entries(claims).flatMap(([name, value]) => {
    const path = before + name;
    return [[path, value] as const, ...(isObject(value) ? paths(value, `${path}.`) : [])];
  });
}

/** Paths whose claim is not known, or not what the table says. */
function surprises(claims: JsonObject): readonly string[] {
  return paths(claims)
    .filter(([path]) => !FREE.test(path))
    .filter(([path, value]) => {
      const known = maaClaim(path);
      if (known === undefined || !FORMS[known.form](value)) return true;
      if (known.form !== 'number') return false;
      return !known.range.spans.some(([least, greatest]) => least <= Number(value) && Number(value) <= greatest);
    })
    .map(([path]) => path);
}

it('the table of claims has those that the lab issues', () => {
  const guest = azureVmClaims({ hclReport: null, clientPayloadNonce: new Uint8Array(), azureIdKeyDigests: new Set() });
  expect(surprises(guest)).toEqual([]);
  expect(surprises(tdxVmClaims({}))).toEqual([]);
  expect(surprises({ ...guest, 'x-ms-isolation-tee': tdxVmClaims({}) })).toEqual([]);
});

describe.runIf(haveVectors)('the table of claims', () => {
  it.each([
    'maa-azurevm-snp-weu-2022.jwt',
    'maa-azurevm-eus2-2022-unknown-key.jwt',
    'maa-sevsnpvm-aci-test-unknown-key.jwt',
  ])('has every claim of the real token %s, in its form', (file) => {
    const [, payload = ''] = Buffer.from(readVector(`maa-jwt/${file}`))
      .toString('latin1')
      .split('.');
    expect(surprises(parseStrictJson(Buffer.from(payload, 'base64url')) as JsonObject)).toEqual([]);
  });

  it.each([
    'az-snp-vtpm/az-snp-milan-hcl1-a',
    'az-snp-vtpm/az-snp-milan-hcl1-b',
    'az-tdx-vtpm/az-tdx-v4-akchain-2026',
    'az-tdx-vtpm/az-tdx-v4-nonpersisted',
  ])('has every member of the VM configuration of %s, which tokens repeat, in its form', (name) => {
    const runtime = parseStrictJson(readVector(`${name}.runtime-data.json`)) as JsonObject;
    expect(Object.keys(runtime)).toContain('vm-configuration');
    expect(surprises({ 'x-ms-runtime': runtime, 'x-ms-isolation-tee': { 'x-ms-runtime': runtime } })).toEqual([]);
  });

  it('has both forms in which hosts write the id of a VM', () => {
    const ids = ['snp-vtpm/az-snp-milan-hcl1-a', 'tdx-vtpm/az-tdx-v4-akchain-2026'].map((name) => {
      const runtime = parseStrictJson(readVector(`az-${name}.runtime-data.json`)) as JsonObject;
      return String((runtime['vm-configuration'] as JsonObject)['vmUniqueId']);
    });
    const cases = ids.map((id) => (id === id.toUpperCase() ? 'upper' : id === id.toLowerCase() ? 'lower' : 'mixed'));
    expect(cases).toEqual(['upper', 'lower']);
  });

  it('says nothing of claims that no token has', () => {
    expect(surprises({ 'x-ms-sevsnpvm-debug': false, 'x-ms-isolation-tee': { secureboot: true } })).toEqual([
      'x-ms-sevsnpvm-debug',
      'x-ms-isolation-tee.secureboot',
    ]);
  });

  it('has every claim of the published sample, in its form', () => {
    const sample = parseStrictJson(readVector('maa-jwt/maa-claims-sample.claims.json')) as JsonObject;
    expect(surprises(sample)).toEqual([]);
  });
});
