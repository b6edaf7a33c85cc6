import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { parseClaimPath, withClaim } from '../../../../src/policy/test-cases/claim-path.js';
import { Place } from '../../../../src/schema/schema.js';

describe('the path of a claim', () => {
  it.each<[string, readonly (string | number)[]]>([
    ['snp', ['snp']],
    ['snp.tcb.reported.snp', ['snp', 'tcb', 'reported', 'snp']],
    ['tpm.pcrs.sha256.7', ['tpm', 'pcrs', 'sha256', '7']],
    ['tpm.pcrs.sha256["7"]', ['tpm', 'pcrs', 'sha256', '7']],
    ['maa.claims["x-ms-ver"]', ['maa', 'claims', 'x-ms-ver']],
    ["maa.claims['a.b'].c", ['maa', 'claims', 'a.b', 'c']],
    ['maa.claims["\\"quoted\\" [0]"]', ['maa', 'claims', '"quoted" [0]']],
    ['tdx.rtmr[3]', ['tdx', 'rtmr', 3]],
  ])('%s is read', (text, path) => {
    expect(parseClaimPath(text)).toEqual(path);
  });

  it.each([
    '.snp',
    'snp.',
    'snp..vmpl',
    'snp vmpl',
    'snp.x-ms',
    'tdx.rtmr[]',
    'tdx.rtmr[-1]',
    'tdx.rtmr[01]',
    'maa.claims[x]',
    'maa.claims["x',
    'maa.claims["\\q"]',
    'maa.claims["__proto__"]',
    'snp.constructor',
    'snp.prototype.x',
    'a'.repeat(1025),
  ])('%s is none', (text) => {
    expect(parseClaimPath(text)).toBeNull();
  });
});

function changed(claims: JsonObject, path: string, value: JsonValue): JsonValue | readonly string[] | undefined {
  const place = new Place();
  const result = withClaim(claims, parseClaimPath(path) ?? [], value, place);
  return result ?? place.problems.map(({ what }) => what);
}

describe('a claim that is changed', () => {
  const CLAIMS = { snp: { vmpl: 0, tcb: { reported: { snp: 24 } } }, tdx: { rtmr: ['a', 'b'] } };

  it('leaves all others, and the given claims, as they are', () => {
    const before = structuredClone(CLAIMS);
    expect(changed(CLAIMS, 'snp.tcb.reported.snp', 1)).toEqual({
      ...CLAIMS,
      snp: { vmpl: 0, tcb: { reported: { snp: 1 } } },
    });
    expect(changed(CLAIMS, 'tdx.rtmr[1]', 'c')).toEqual({ ...CLAIMS, tdx: { rtmr: ['a', 'c'] } });
    expect(CLAIMS).toEqual(before);
  });

  it('comes into being with what is around it', () => {
    expect(changed({ tpm: null }, 'tpm.pcrs.sha256.7', 'x')).toEqual({ tpm: { pcrs: { sha256: { '7': 'x' } } } });
    expect(changed({}, 'hcl', { userData: null })).toEqual({ hcl: { userData: null } });
  });

  it('is removed by null', () => {
    expect(changed(CLAIMS, 'snp.vmpl', null)).toEqual({ ...CLAIMS, snp: { tcb: { reported: { snp: 24 } } } });
    expect(changed(CLAIMS, 'tdx', null)).toEqual({ snp: CLAIMS.snp });
  });

  it.each<[string, string, JsonValue, string]>([
    ['removes what is not there', 'snp.vmlp', null, 'removes a claim that is not there'],
    ['removes what is null, which is absent', 'tpm', null, 'removes a claim that is not there'],
    ['removes below what is not there', 'tpm.clock.safe', null, 'removes a claim that is not there'],
    ['is below a single value', 'snp.vmpl.x', 1, 'x is a member of what is no object'],
    ['is past the end of a list', 'tdx.rtmr[2]', 'c', 'there is no item 2 to change'],
    ['is an item of what is no list', 'snp[0]', 'c', 'there is no item 0 to change'],
    ['removes an item', 'tdx.rtmr[0]', null, 'cannot remove an item of a list: set the whole list'],
  ])('is refused where it %s', (_title, path, value, what) => {
    expect(changed({ ...CLAIMS, tpm: null }, path, value)).toEqual([what]);
  });
});
