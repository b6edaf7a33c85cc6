import { describe, expect, it } from 'vitest';
import type { TpmQuoteInput } from '../../../../src/core/evidence.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import { buildEcdsaSignature, buildTpmtSignature, type QuoteOptions, VirtualTpm } from '../../../lab/index.js';
import { failed, NONCE } from '../fixture.js';
import { expectQuoteVerified, judgeQuote, QUOTE } from './quote-fixture.js';

const CURVES = [
  ['P-256', 32],
  ['P-384', 48],
] as const;

/** Orders of the curves (SEC 2, 2.4.2 and 2.5.1). */
const ORDER = {
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384': 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

describe.each(CURVES)('a quote by a key on %s', async (curve, octets) => {
  const tpm = await VirtualTpm.create({ curve });
  const rsa = await VirtualTpm.create();
  const quote = (options: QuoteOptions = {}) => tpm.quote({ extraData: NONCE, ...options });
  const judge = (input: TpmQuoteInput) => judgeQuote(tpm, input, expectedBinding(NONCE, null));
  const genuine = quote();
  const [r, s] = [genuine.signature.subarray(6, 6 + octets), genuine.signature.subarray(8 + octets)];
  const signedBy = (...numbers: readonly [Uint8Array, Uint8Array]) => ({
    ...genuine,
    signature: buildEcdsaSignature('sha256', ...numbers),
  });
  const bytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(2 * octets, '0'), 'hex'));

  function expectForeign(input: TpmQuoteInput): void {
    const found = judge(input);
    expect(failed(found)).toEqual(['tpm_signature']);
    expect([found.claims, found.bound]).toEqual([null, false]);
  }

  it.each(['sha256', 'sha384', 'sha512'] as const)('is accepted with %s', (hash) => {
    const found = judge(quote({ signing: { hash } }));
    expectQuoteVerified(found);
    expect(found.bound).toBe(true);
  });

  it('TPM-08 twin: is accepted with r and s written as they are, and with n - s', () => {
    expectQuoteVerified(judge(signedBy(r, s)));
    const other = ORDER[curve] - BigInt(`0x${Buffer.from(s).toString('hex')}`);
    expectQuoteVerified(judge(signedBy(r, bytes(other))));
    // One in 256 numbers begins with a zero, which some TPMs leave out.
    for (;;) {
      const { signature, ...rest } = quote();
      const [short, whole] = [signature.subarray(6, 6 + octets), signature.subarray(8 + octets)];
      if (short[0] !== 0) continue;
      expectQuoteVerified(judge({ ...rest, signature: buildEcdsaSignature('sha256', short.subarray(1), whole) }));
      break;
    }
  });

  it('TPM-08 is denied with r or s of 0, n and 2^k - 1, or longer than the field', () => {
    const zero = new Uint8Array(octets);
    const full = new Uint8Array(octets).fill(0xff);
    for (const wrong of [zero, bytes(ORDER[curve]), full, Uint8Array.from([0, ...r]), new Uint8Array()]) {
      expectForeign(signedBy(wrong, s));
      expectForeign(signedBy(r, wrong));
    }
  });

  it('TPM-08 is denied with r and s exchanged, another hash, and over a changed quote', () => {
    expectForeign(signedBy(s, r));
    expectForeign({ ...genuine, signature: buildEcdsaSignature('sha384', r, s) });
    expectForeign({ ...genuine, message: quote({ clock: 9n }).message });
  });

  it('TPM-08 is denied by another key, of either kind', async () => {
    const other = await VirtualTpm.create({ curve });
    expectForeign(quote({ signing: { key: other.privateKey } }));
    expectForeign({ ...genuine, signature: rsa.sign(genuine.message, { form: 'tpmt' }) });
    expectForeign({ ...genuine, signature: rsa.sign(genuine.message, { form: 'tpmt', scheme: 'rsapss' }) });
    const raw = Uint8Array.from([...r, ...s]);
    for (const scheme of ['rsassa', 'rsapss'] as const) {
      expectForeign({ ...genuine, signature: buildTpmtSignature(scheme, 'sha256', raw) });
    }
  });

  it('TPM-06 is denied with SHA-1, before anything is computed with it', () => {
    expect(failed(judge(quote({ signing: { hash: 'sha1' } })))).toEqual(['tpm_weak_signature']);
  });

  it('TPM-08 is malformed as a bare signature', () => {
    const bare = { ...genuine, signature: Uint8Array.from([...r, ...s]) };
    expect(() => judge(bare)).toThrow(expect.objectContaining({ code: 'tpm_format', pointer: `${QUOTE}/signature` }));
  });
});
