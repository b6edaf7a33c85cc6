import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../../src/core/json.js';
import { ISSUER, writtenFor } from './fixture.js';
import { at, linted, lintOf, remedies } from './lint-fixture.js';

const SECURE_BOOT = 'x-ms-runtime.vm-configuration.secure-boot';
const COMPLIANT = { claim: 'x-ms-compliance-status', equals: 'azure-compliant-cvm' };

const always = (...conditions: readonly JsonValue[]) =>
  Object.entries(lintOf(...conditions)).filter(([key]) => key.startsWith('akv_always'));

describe('lint of a configuration outside of x-ms-isolation-tee', () => {
  it('says that a guest can write it', () => {
    expect(always({ claim: SECURE_BOOT, equals: true })).toEqual([
      [
        `akv_always ${at(0)}`,
        `${SECURE_BOOT} is JSON that a guest without paravisor writes itself: name the one in x-ms-isolation-tee`,
      ],
    ]);
    expect(remedies({ claim: SECURE_BOOT, equals: true })).toMatchObject({
      [`akv_always ${at(0)}`]: 'Do as the message says: what the guest writes proves nothing.',
    });
  });

  it('says nothing where the token has to be of a paravisor of Azure', () => {
    expect(always(COMPLIANT, { claim: SECURE_BOOT, equals: true })).toEqual([]);
  });

  it('says so where the token only must not be of one', () => {
    const not = { claim: 'x-ms-compliance-status', notEquals: 'azure-compliant-cvm' };
    expect(always(not, { claim: SECURE_BOOT, equals: true })).toEqual([[`akv_always ${at(1)}`, expect.any(String)]]);
  });

  it.each(['azure-compliant-uvm', 'contoso-approved'])('says so where the status is another one: %s', (equals) => {
    const other = { claim: 'x-ms-compliance-status', equals };
    expect(always(other, { claim: SECURE_BOOT, equals: true })).toEqual([[`akv_always ${at(1)}`, expect.any(String)]]);
  });

  it('names the compliance status where the token is of no guest, and both where nothing says what it is', () => {
    const boot = { claim: SECURE_BOOT, equals: true };
    const words = (...conditions: readonly JsonValue[]) => linted(writtenFor(ISSUER, ...conditions));
    const status = 'add x-ms-compliance-status equals azure-compliant-cvm';
    expect(words({ claim: 'x-ms-sevsnpvm-vmpl', equals: 0 }, boot)).toMatchObject({
      'akv_always /anyOf/0/allOf/1': expect.stringMatching(new RegExp(`: ${status}$`)),
    });
    expect(words(boot)).toMatchObject({
      'akv_always /anyOf/0/allOf/0': expect.stringMatching(
        new RegExp(`: ${status}, or name the one in x-ms-isolation-tee$`),
      ),
    });
  });

  it('says nothing of the one inside', () => {
    expect(always({ claim: `x-ms-isolation-tee.${SECURE_BOOT}`, equals: true })).toEqual([]);
  });
});
