import { describe, expect, it } from 'vitest';
import type { FormatError } from '../../../../src/core/errors.js';
import type { TpmQuoteInput } from '../../../../src/core/evidence.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import {
  bigEndian,
  boundValue,
  buildTpmtSignature,
  patchBytes,
  type QuoteOptions,
  VirtualTpm,
} from '../../../lab/index.js';
import { failed, idsWith, JWK, NONCE, OTHER_JWK, OTHER_NONCE } from '../fixture.js';
import { expectQuoteVerified, judgeQuote, QUOTE } from './quote-fixture.js';

const tpm = await VirtualTpm.create();
const EXTRA_DATA_AT = 4 + 2 + 2 + 34;

const quote = (options: QuoteOptions = {}) => tpm.quote({ extraData: NONCE, ...options });
const judge = (input: TpmQuoteInput, nonce: Uint8Array | null = NONCE) =>
  judgeQuote(tpm, input, nonce === null ? null : expectedBinding(nonce, null));

function expectMalformed(input: TpmQuoteInput, pointer = `${QUOTE}/message`): void {
  const code: FormatError['code'] = 'tpm_format';
  expect(() => judge(input)).toThrow(expect.objectContaining({ name: 'FormatError', code, pointer }));
}

/** The signed structure is not a quote of this TPM's: nothing of it is a claim. */
function expectForeign(input: TpmQuoteInput, id: string): void {
  const found = judge(input);
  expect(failed(found)).toEqual([id]);
  expect(found.claims).toBeNull();
  expect(found.bound).toBe(false);
  expect(idsWith(found, 'skipped')).toContain('tpm_pcr_digest');
}

describe('signature of a quote', () => {
  const FORMS = [
    { scheme: 'rsassa', hash: 'sha256', form: 'bare' },
    ...(['rsassa', 'rsapss'] as const).flatMap((scheme) =>
      (['sha256', 'sha384', 'sha512'] as const).map((hash) => ({ scheme, hash, form: 'tpmt' }) as const),
    ),
  ] as const;

  it.each(FORMS)('is accepted as $form $scheme with $hash', (signing) => {
    const found = judge(quote({ signing }));
    expectQuoteVerified(found);
    expect(found.bound).toBe(true);
    expect(found.claims).toMatchObject({
      firmwareVersion: '1122334455667788',
      clock: { resetCount: 7, restartCount: 0, safe: true },
    });
  });

  it('is accepted as RSAPSS with a salt as long as fits', () => {
    expectQuoteVerified(judge(quote({ signing: { scheme: 'rsapss', form: 'tpmt', saltLength: 256 - 32 - 2 } })));
    expectForeign(quote({ signing: { scheme: 'rsapss', form: 'tpmt', saltLength: 20 } }), 'tpm_signature');
  });

  it('is denied by another key, and over a changed quote', async () => {
    const other = await VirtualTpm.create();
    expectForeign(quote({ signing: { key: other.privateKey } }), 'tpm_signature');
    const genuine = quote();
    for (const offset of [EXTRA_DATA_AT + 2, genuine.message.byteLength - 1]) {
      const message = patchBytes(genuine.message, [{ offset, bytes: Uint8Array.of(0xee) }]);
      expectForeign({ ...genuine, message }, 'tpm_signature');
    }
  });

  it.each([
    ['RSASSA labelled RSAPSS', 'rsapss', 'sha256'],
    ['SHA-256 labelled SHA-384', 'rsassa', 'sha384'],
    ['SHA-256 labelled SHA-512', 'rsassa', 'sha512'],
  ] as const)('TPM-08 denies %s', (_, scheme, hash) => {
    const genuine = quote();
    expectForeign({ ...genuine, signature: buildTpmtSignature(scheme, hash, genuine.signature) }, 'tpm_signature');
  });

  it('TPM-08 denies RSAPSS labelled RSASSA, and as a bare signature', () => {
    const pss = quote({ signing: { scheme: 'rsapss' } });
    expectForeign({ ...pss, signature: buildTpmtSignature('rsassa', 'sha256', pss.signature) }, 'tpm_signature');
    expectForeign(pss, 'tpm_signature');
  });

  it('TPM-08 denies a signature with leading zeros, and one that is too short', () => {
    const genuine = quote();
    for (const bytes of [Uint8Array.from([0, ...genuine.signature]), genuine.signature.subarray(1), new Uint8Array()]) {
      expectForeign({ ...genuine, signature: buildTpmtSignature('rsassa', 'sha256', bytes) }, 'tpm_signature');
    }
  });

  it('TPM-08 denies an ECDSA signature, which no RSA key makes', () => {
    const genuine = quote();
    const half = [0, 48, ...genuine.signature.subarray(0, 48)];
    const signature = Uint8Array.from([0x00, 0x18, 0x00, 0x0b, ...half, ...half]);
    expectForeign({ ...genuine, signature }, 'tpm_signature');
  });

  it.each([0, 1, 255, 257])('TPM-08 refuses a bare signature of %i bytes', (length) => {
    const genuine = quote();
    const signature = Uint8Array.from({ length }, (_, at) => genuine.signature[at] ?? 0);
    expectMalformed({ ...genuine, signature }, `${QUOTE}/signature`);
  });

  it.each([
    ['an unknown scheme', (bytes: Uint8Array) => buildTpmtSignature(0x0015, 'sha256', bytes)],
    ['an unknown hash', (bytes: Uint8Array) => buildTpmtSignature('rsassa', 0x0012, bytes)],
    ['a byte behind it', (bytes: Uint8Array) => Uint8Array.from([...buildTpmtSignature('rsassa', 'sha256', bytes), 0])],
    ['a size over what is there', (bytes: Uint8Array) => buildTpmtSignature('rsassa', 'sha256', bytes).subarray(0, -1)],
  ])('TPM-08 refuses a TPMT_SIGNATURE with %s', (_, change) => {
    const genuine = quote();
    expectMalformed({ ...genuine, signature: change(genuine.signature) }, `${QUOTE}/signature`);
  });

  it('TPM-06 denies SHA-1, before anything is computed with it', () => {
    for (const scheme of ['rsassa', 'rsapss'] as const) {
      const weak = quote({ signing: { scheme, hash: 'sha1', form: 'tpmt' } });
      expectForeign(weak, 'tpm_weak_signature');
      expect(idsWith(judge(weak), 'skipped')).toContain('tpm_signature');
    }
  });
});

describe('a quote that cannot be relied on', () => {
  it('says nothing of the nonce: that it was not reached where one is expected, and nothing where none is', () => {
    const weak = quote({ signing: { hash: 'sha1', form: 'tpmt' } });
    const notReached = [
      'tpm_signature',
      'tpm_magic',
      'tpm_not_quote',
      'tpm_weak_bank',
      'tpm_pcr_selection',
      'tpm_pcr_digest',
      'tpm_pcr',
    ];
    expect(idsWith(judge(weak), 'skipped')).toEqual([...notReached, 'nonce_mismatch']);
    expect(idsWith(judge(weak, null), 'skipped')).toEqual(notReached);
  });
});

describe('structure of a quote', () => {
  it.each([0, 0xff544348, 0x47435446, 0xffffffff])(
    'TPM-01 denies the magic %i under a signature that holds',
    (magic) => {
      expectForeign(quote({ magic }), 'tpm_magic');
    },
  );

  it('TPM-01 says which magic it has', () => {
    const found = judge(quote({ magic: 0x47435446 }));
    expect(found.checks.find(({ id }) => id === 'tpm_magic')).toMatchObject({
      expected: '0xff544347',
      actual: '0x47435446',
    });
  });

  it('TPM-02 denies what is no quote whatever follows its header, which is not read', () => {
    const beforeSigning = (message: Uint8Array) => message.subarray(0, 44);
    expectForeign(quote({ magic: 0, beforeSigning }), 'tpm_magic');
    expectForeign(quote({ type: 0x8017, beforeSigning }), 'tpm_not_quote');
    expectMalformed(quote({ beforeSigning }));
  });

  it('TPM-01 denies data that is no structure of a TPM at all', () => {
    const message = Buffer.from('anything that a key that is not restricted signs');
    expectForeign({ ...quote(), message, signature: tpm.sign(message) }, 'tpm_magic');
  });

  it.each([
    ['certify', 0x8017],
    ['NV certify', 0x8014],
    ['time', 0x8019],
    ['creation', 0x801a],
    ['session audit', 0x8016],
    ['command audit', 0x8015],
  ])('TPM-02 denies a structure of type %s', (_, type) => {
    expectForeign(quote({ type }), 'tpm_not_quote');
  });

  const withSize = ({ message }: TpmQuoteInput, size = message.byteLength) =>
    Uint8Array.from([...bigEndian(size, 2), ...message]);

  it('TPM-02 refuses a TPM2B_ATTEST, and says which bytes are too many', () => {
    const genuine = quote();
    expect(() => judge({ ...genuine, message: withSize(genuine) })).toThrow(
      expect.objectContaining({
        code: 'tpm_format',
        pointer: `${QUOTE}/message`,
        message: 'this is a TPM2B_ATTEST: remove its first two bytes, the size',
      }),
    );
  });

  it('TPM-02 twin: takes no other two bytes for a size, and never cuts them off', () => {
    const genuine = quote();
    for (const message of [withSize(genuine, genuine.message.byteLength + 1), withSize(quote({ magic: 0 }))]) {
      expectForeign({ ...genuine, message, signature: tpm.sign(message) }, 'tpm_magic');
      expectForeign({ ...genuine, message }, 'tpm_signature');
    }
  });

  it('TPM-02 says how long a PCR value of another length has to be', () => {
    const pcrs = new Map([['sha256', new Map([[7, new Uint8Array(31)]])]] as const);
    expect(() => judge({ ...quote(), pcrs })).toThrow(
      expect.objectContaining({
        code: 'tpm_format',
        pointer: `${QUOTE}/pcrs/sha256/7`,
        message: 'a sha256 PCR value is 31 bytes, expected 32',
      }),
    );
  });

  it('TPM-02 refuses bytes behind the structure', () => {
    expectMalformed(quote({ trailing: Uint8Array.of(0) }));
  });

  it('TPM-02 refuses a structure that ends before its end', () => {
    const genuine = quote();
    for (const length of [0, 3, 5, 7, 41, 60, 90, genuine.message.byteLength - 1]) {
      const message = genuine.message.subarray(0, length);
      expectMalformed({ ...genuine, message, signature: tpm.sign(message) });
    }
  });

  const SIZES = [
    ['qualifiedSigner', 6],
    ['extraData', EXTRA_DATA_AT],
    ['pcrDigest', EXTRA_DATA_AT + 2 + 32 + 8 + 4 + 4 + 1 + 8 + 4 + 6],
  ] as const;

  it.each(SIZES)('TPM-02 refuses a size of %s that overruns or is over its type', (_, offset) => {
    for (const size of [0x0043, 0x0100, 0x7fff, 0xffff]) {
      const beforeSigning = (message: Uint8Array) => patchBytes(message, [{ offset, bytes: bigEndian(size, 2) }]);
      expectMalformed(quote({ beforeSigning }));
    }
  });

  it('TPM-02 refuses a count of selections and a size of a selection that overrun', () => {
    const count = EXTRA_DATA_AT + 2 + 32 + 8 + 4 + 4 + 1 + 8;
    for (const value of [2, 17, 2 ** 31, 2 ** 32 - 1]) {
      const beforeSigning = (message: Uint8Array) =>
        patchBytes(message, [{ offset: count, bytes: bigEndian(value, 4) }]);
      expectMalformed(quote({ beforeSigning }));
    }
    for (const sizeOfSelect of [5, 32, 255]) {
      expectMalformed(quote({ selections: [{ bank: 'sha256', indices: [0, 7], sizeOfSelect }] }));
    }
  });

  it('TPM-02 refuses a safe flag that is neither yes nor no', () => {
    expectMalformed(quote({ safe: 2 }));
  });
});

describe('extraData of a quote', () => {
  it.each([
    ['empty', new Uint8Array()],
    ['a prefix of the nonce', NONCE.subarray(0, 31)],
    ['the nonce and a zero byte', Uint8Array.from([...NONCE, 0])],
    ['zeros', new Uint8Array(32)],
    ['the nonce of another session', OTHER_NONCE],
    ['X for a key', boundValue(NONCE, JWK)],
  ])('TPM-03 is denied where it is %s', (_, extraData) => {
    const found = judge(quote({ extraData }));
    expect(found.checks.find(({ id }) => id === 'nonce_mismatch')).toMatchObject({
      expected: Buffer.from(NONCE).toString('hex'),
      actual: Buffer.from(extraData).toString('hex'),
    });
    expect(failed(found)).toEqual(['nonce_mismatch']);
    expect(found.bound).toBe(false);
    // The PCRs are genuine all the same, of another moment: the check says that, not the lack of a claim.
    expect(found.claims?.pcrs).not.toEqual({});
  });

  it('TPM-03 is accepted where it is X for the bound key, and denied for another', () => {
    const bound = quote({ extraData: boundValue(NONCE, JWK) });
    const found = judgeQuote(tpm, bound, expectedBinding(NONCE, JWK));
    expectQuoteVerified(found);
    expect(found.bound).toBe(true);
    expect(failed(judgeQuote(tpm, bound, expectedBinding(NONCE, OTHER_JWK)))).toEqual(['nonce_mismatch']);
  });

  it('is not looked at where the caller sent no nonce, and binds nothing', () => {
    const found = judge(quote(), null);
    expectQuoteVerified(found);
    expect(found.bound).toBe(false);
  });
});
