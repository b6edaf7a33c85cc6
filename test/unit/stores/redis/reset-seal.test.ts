import { describe, expect, it } from 'vitest';
import { ResetSeal } from '../../../../src/stores/redis/reset-seal.js';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);
const VTPM = { tenant: 'payments', akThumbprint: 'A'.repeat(43) };
const COUNTS = { resetCount: 9, restartCount: 2 };

const seal = new ResetSeal(KEY);
const entry = seal.seal(VTPM, COUNTS);
const mac = entry.slice('9 2 '.length);
const otherMac = `${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`;

describe('a sealed entry', () => {
  it('TPM-10 twin: is opened to the counts that were sealed, by whoever has the challenge key', () => {
    expect(entry).toMatch(/^9 2 [\w-]{43}$/);
    expect(new ResetSeal(Uint8Array.from(KEY)).open(VTPM, entry)).toEqual(COUNTS);
    const highest = { resetCount: 2 ** 32 - 1, restartCount: 2 ** 32 - 1 };
    expect(seal.open(VTPM, seal.seal(VTPM, highest))).toEqual(highest);
  });

  it('TPM-10 does not have the key in it', () => {
    expect(mac).not.toBe(Buffer.from(KEY).toString('base64url'));
  });

  it.each([
    ['higher counts', `10 2 ${mac}`],
    ['lower counts', `8 2 ${mac}`],
    ['another restartCount', `9 3 ${mac}`],
    ['the same counts, written otherwise', `09 2 ${mac}`],
    ['another MAC', `9 2 ${otherMac}`],
    ['a MAC that is cut off', `9 2 ${mac.slice(0, -1)}`],
    ['something behind it', `${entry} `],
    ['no MAC', '9 2'],
    ['one count', `9 ${mac}`],
    ['nothing', ''],
    ['a line feed', `${entry}\n`],
  ])('TPM-10 is not opened with %s', (_, altered) => {
    expect(seal.open(VTPM, altered)).toBeNull();
  });

  it('TPM-10 is not opened for another vTPM, for another tenant, or with another key', () => {
    expect(seal.open({ ...VTPM, akThumbprint: 'B'.repeat(43) }, entry)).toBeNull();
    expect(seal.open({ ...VTPM, tenant: 'default' }, entry)).toBeNull();
    expect(seal.open({ tenant: 'payment', akThumbprint: `s${VTPM.akThumbprint}` }, entry)).toBeNull();
    const other = Uint8Array.from(KEY, (byte, index) => (index === 31 ? byte ^ 1 : byte));
    expect(new ResetSeal(other).open(VTPM, entry)).toBeNull();
  });

  it('TPM-10 is not opened with counts that no vTPM has, whoever sealed them', () => {
    const beyond = { resetCount: 2 ** 32, restartCount: 0 };
    expect(seal.open(VTPM, seal.seal(VTPM, beyond))).toBeNull();
  });
});
