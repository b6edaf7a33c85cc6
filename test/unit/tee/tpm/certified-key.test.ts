import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../../src/core/codes.js';
import { FormatError } from '../../../../src/core/errors.js';
import type { CertifiedKeyInput } from '../../../../src/core/evidence.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { ExpectedBinding } from '../../../../src/core/verification.js';
import type { Verified } from '../../../../src/core/verified.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import type { CertifiedKey, QuotedState, QuoteKey } from '../../../../src/tee/shared/evidence/parts.js';
import { Tpm2QuoteVerifier } from '../../../../src/tee/tpm/tpm-quote-verifier.js';
import { formatErrorOf } from '../../../format-error-of.js';
import {
  buildTpm2bPublic,
  type CertifyOptions,
  flipBit,
  joinBytes,
  pcrPolicyDigest,
  pcrSelection,
  sized,
  tpmName,
  VirtualTpm,
} from '../../../lab/index.js';
import { NONCE, OTHER_NONCE } from '../fixture.js';

const tpm = await VirtualTpm.create();
const verifier = new Tpm2QuoteVerifier();
const KEY: JsonObject = { kty: 'RSA', n: String(newKey().n), e: 'AQAB' };
const ABOUT = '/evidence/certifiedKey';

function newKey() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
}

const QUOTED = (() => {
  const { said } = verifier.open(tpm.quote({ extraData: NONCE }), '/evidence/tpmQuote');
  if (said === null) throw new Error('no quote');
  return said;
})();

interface Judging {
  readonly binding?: ExpectedBinding | null;
  readonly quoted?: QuotedState | null;
}

function judge(input: CertifiedKeyInput, { binding = null, quoted = QUOTED }: Judging = {}): CertifiedKey {
  const bytes = (member: 'n' | 'e') => Uint8Array.from(Buffer.from(String(tpm.publicJwk[member]), 'base64url'));
  const key = { kind: 'rsa', modulus: bytes('n'), exponent: bytes('e') } as Verified<QuoteKey>;
  return verifier.openCertifiedKey(input, ABOUT).verify(key, binding, quoted);
}

const certified = (options?: CertifyOptions) => tpm.certify(KEY, options);
const failedIn = ({ checks }: CertifiedKey) =>
  checks.filter(({ result }) => result === 'fail').map(({ id, about }) => [id, about]);
const skippedIn = ({ checks }: CertifiedKey) => checks.filter(({ result }) => result === 'skipped').map(({ id }) => id);

describe('certification of a key', () => {
  it('holds with each strong signature, bare or as TPMT_SIGNATURE', () => {
    for (const scheme of ['rsassa', 'rsapss'] as const) {
      for (const hash of ['sha256', 'sha384', 'sha512'] as const) {
        const found = judge(certified({ signing: { scheme, hash, form: 'tpmt' } }));
        expect(found.checks.filter(({ result }) => result !== 'pass')).toEqual([]);
        expect(found.bindable?.jwk).toEqual(KEY);
      }
    }
    expect(judge(certified()).checks.map(({ id }) => id)).toEqual([
      'tpm_weak_signature',
      'tpm_signature',
      'tpm_magic',
      'tpm_not_quote',
      'tpm_signature',
    ]);
  });

  it.each<[string, CertifyOptions, CheckId, string]>([
    ['TPM-06 a signature over SHA-1', { signing: { hash: 'sha1', form: 'tpmt' } }, 'tpm_weak_signature', '/signature'],
    ['TPM-08 the signature of another key', { signing: { key: newPrivateKey() } }, 'tpm_signature', '/signature'],
    ['TPM-01 another magic', { info: { magic: 0xff544348 } }, 'tpm_magic', '/info'],
    ['TPM-02 a structure of type quote', { info: { type: 0x8018 } }, 'tpm_not_quote', '/info'],
    ['TPM-02 a structure of type creation', { info: { type: 0x801a } }, 'tpm_not_quote', '/info'],
    ['TPM-02 the name of another key', { info: { name: tpmName(Uint8Array.of(1)) } }, 'tpm_signature', '/publicArea'],
    ['TPM-06 a name by SHA-1', { nameAlg: 'sha1' }, 'tpm_signature', '/publicArea'],
    ['TPM-06 a name by a hash that is not known', { nameAlg: 0x0012 }, 'tpm_signature', '/publicArea'],
  ])('%s is denied, and nothing is claimed of the key', (_, options, id, place) => {
    const found = judge(certified(options), { binding: expectedBinding(NONCE, null) });
    expect(failedIn(found)).toEqual([[id, ABOUT + place]]);
    expect(skippedIn(found)).toContain('nonce_mismatch');
    expect(found.bindable).toBeNull();
  });

  it('a name by another algorithm than the key states is denied, although the hash is right', () => {
    const { publicArea } = certified();
    const name = tpmName(publicArea.subarray(2));
    name.set([0x00, 0x0c]);
    expect(failedIn(judge(certified({ info: { name } })))).toEqual([['tpm_signature', `${ABOUT}/publicArea`]]);
  });

  it.each(['sha384', 'sha512'] as const)('holds with a name, and a policy, by %s', (nameAlg) => {
    expect(judge(certified({ nameAlg })).bindable?.jwk).toEqual(KEY);
    const authPolicy = tpm.pcrPolicy([{ bank: 'sha256', indices: [0] }], nameAlg);
    expect(judge(certified({ nameAlg, authPolicy })).bindable).toBeNull();
  });

  it('TPM-03 holds for the nonce of the request, or for none', () => {
    const binding = expectedBinding(NONCE, null);
    for (const extraData of [NONCE, new Uint8Array()]) {
      expect(judge(certified({ info: { extraData } }), { binding }).bindable).not.toBeNull();
    }
    for (const extraData of [OTHER_NONCE, NONCE.subarray(1), joinBytes(NONCE, Uint8Array.of(0))]) {
      const found = judge(certified({ info: { extraData } }), { binding });
      expect(failedIn(found)).toEqual([['nonce_mismatch', `${ABOUT}/info`]]);
      expect(found.bindable).toBeNull();
    }
  });

  it('is not bindable beside what is no quote', () => {
    const { said } = verifier.open(tpm.quote({ extraData: NONCE, type: 0x8017 }), '/evidence/tpmQuote');
    expect(said).toBeNull();
    const found = judge(certified(), { quoted: null });
    expect(found.bindable).toBeNull();
    expect(found.checks.at(-1)?.detail).toMatch(/because no quote that holds has PCR 0 to 7$/);
  });

  it.each<[string, Partial<CertifiedKeyInput>, string]>([
    ['info that is cut short', { info: certified().info.subarray(0, -1) }, '/info'],
    ['info with a byte too much', { info: joinBytes(certified().info, Uint8Array.of(0)) }, '/info'],
    ['info with its size before it', { info: sized(certified().info) }, '/info'],
    ['a public area without its size', { publicArea: certified().publicArea.subarray(2) }, '/publicArea'],
    [
      'a public area with a byte too much',
      { publicArea: joinBytes(certified().publicArea, Uint8Array.of(0)) },
      '/publicArea',
    ],
    ['a signature that is none', { signature: new Uint8Array(255) }, '/signature'],
  ])('TPM-02 %s is malformed', (_, changed, place) => {
    const refused = formatErrorOf(() => judge({ ...certified(), ...changed }));
    expect(refused).toEqual({ code: 'tpm_format', pointer: ABOUT + place });
  });
});

describe('a certification of which one bit is changed', () => {
  const genuine = certified();

  function outcomeOf(input: CertifiedKeyInput): string {
    try {
      const found = judge(input);
      return found.bindable === null && failedIn(found).length === 1 ? 'denied' : 'accepted';
    } catch (error) {
      return error instanceof FormatError ? error.code : String(error);
    }
  }

  it.each(['info', 'signature', 'publicArea'] as const)(
    'TPM-02 is malformed or denied, wherever in its %s',
    (member) => {
      expect(outcomeOf(genuine)).toBe('accepted');
      for (let offset = 0; offset < genuine[member].byteLength; offset++) {
        const outcome = outcomeOf({ ...genuine, [member]: flipBit(genuine[member], offset, offset % 8) });
        expect(['denied', 'tpm_format'], `byte ${offset}`).toContain(outcome);
      }
    },
  );
});

describe('the policy of a key that is used under PCR values alone', () => {
  // The value that the tests of tpm2-tools expect of tpm2_createpolicy with PCR 0 of 3.
  const VALUE = Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? 3 : 0));
  const POLICY = Buffer.from('33e36e786c878632494217c3f490e74ca0a3a122a8a4f3c5302500df3b32b3b8', 'hex');
  const SELECTION = { bank: 'sha256', indices: [0] } as const;
  const quoted: QuotedState = {
    extraData: NONCE,
    pcrSelect: joinBytes(Uint8Array.of(0, 0, 0, 1), pcrSelection(SELECTION)),
    values: [VALUE],
    selectedPcrs: [0, 1, 2, 3, 4, 5, 6, 7],
  };

  it('is the one that a TPM makes of it', () => {
    expect(Buffer.from(pcrPolicyDigest([SELECTION], [VALUE]))).toEqual(POLICY);
    expect(judge(certified({ authPolicy: POLICY }), { quoted }).bindable).not.toBeNull();
  });

  it.each([[[]], [[16]], [[0, 1, 2, 3, 4, 5, 6]], [[1, 2, 3, 4, 5, 6, 7]]])(
    'binds nothing where the quote does not say what was booted: %j',
    (selectedPcrs) => {
      expect(judge(certified({ authPolicy: POLICY }), { quoted: { ...quoted, selectedPcrs } }).bindable).toBeNull();
    },
  );

  it('is another for another selection, another value, another order', () => {
    const others: readonly QuotedState[] = [
      { ...quoted, pcrSelect: joinBytes(Uint8Array.of(0, 0, 0, 1), pcrSelection({ ...SELECTION, indices: [1] })) },
      { ...quoted, values: [createHash('sha256').update(VALUE).digest()] },
      { ...quoted, values: [] },
      { ...quoted, values: [VALUE, VALUE] },
    ];
    for (const other of others) {
      expect(judge(certified({ authPolicy: POLICY }), { quoted: other }).bindable).toBeNull();
    }
  });
});

describe('the public area of a key', () => {
  it('is read for a key of whatever scheme, and bound all the same', () => {
    const scheme = Uint8Array.of(0x00, 0x17, 0x00, 0x0b);
    expect(judge(certified({ scheme })).bindable?.jwk).toEqual(KEY);
    expect(buildTpm2bPublic({ jwk: KEY, scheme }).byteLength).toBe(buildTpm2bPublic({ jwk: KEY }).byteLength + 2);
  });
});

function newPrivateKey() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}
