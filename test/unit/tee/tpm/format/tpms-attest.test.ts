import { describe, expect, it } from 'vitest';
import { parseTpmsAttestHeader, parseTpmsQuote } from '../../../../../src/tee/tpm/format/tpms-attest.js';
import { buildTpmsQuote, type PcrSelectionFields } from '../../../../lab/index.js';

const build = (selections: readonly PcrSelectionFields[] = []) =>
  buildTpmsQuote({
    qualifiedSigner: Uint8Array.of(1, 2),
    extraData: Uint8Array.of(3, 4, 5),
    clock: 6n,
    resetCount: 7,
    restartCount: 8,
    safe: 0,
    firmwareVersion: 9n,
    selections,
    pcrDigest: Uint8Array.of(10),
  });

describe('parseTpmsQuote', () => {
  it.each([0, 1, 2, 3, 4, 5])('refuses %i bytes that say how many follow, and reads nothing behind them', (length) => {
    const bytes = Uint8Array.from([0, Math.max(0, length - 2), 0, 0, 0].slice(0, length));
    for (const parse of [parseTpmsQuote, parseTpmsAttestHeader]) {
      expect(() => parse(bytes)).toThrow(expect.objectContaining({ name: 'FormatError', code: 'tpm_format' }));
    }
  });

  it('reads every field', () => {
    const selections = [
      { bank: 'sha256', indices: [23, 0, 8] },
      { bank: 'sha1', indices: [], sizeOfSelect: 0 },
      { bank: 0x0012, indices: [7] },
    ] as const;
    expect(parseTpmsQuote(build(selections))).toEqual({
      qualifiedSigner: Uint8Array.of(1, 2),
      extraData: Uint8Array.of(3, 4, 5),
      clock: 6n,
      resetCount: 7,
      restartCount: 8,
      safe: false,
      firmwareVersion: 9n,
      selections: [
        { algorithm: 0x000b, bank: 'sha256', indices: [0, 8, 23] },
        { algorithm: 0x0004, bank: 'sha1', indices: [] },
        { algorithm: 0x0012, bank: null, indices: [7] },
      ],
      pcrSelect: Uint8Array.from(Buffer.from('00000003000b03010180000400001203800000', 'hex')),
      pcrDigest: Uint8Array.of(10),
    });
  });

  it('TPM-02 refuses each length that is not the right one', () => {
    const bytes = build([{ bank: 'sha256', indices: [7] }]);
    expect(() => parseTpmsQuote(bytes)).not.toThrow();
    const refused = expect.objectContaining({ name: 'FormatError', code: 'tpm_format' });
    for (let length = 0; length < bytes.byteLength; length++) {
      expect(() => parseTpmsQuote(bytes.subarray(0, length))).toThrow(refused);
    }
    expect(() => parseTpmsQuote(Uint8Array.from([...bytes, 0]))).toThrow(refused);
  });

  it('leaves magic and type to whoever judges them', () => {
    const bytes = buildTpmsQuote({
      magic: 1,
      type: 2,
      extraData: new Uint8Array(),
      selections: [],
      pcrDigest: new Uint8Array(),
    });
    expect(parseTpmsAttestHeader(bytes)).toEqual({ magic: 1, type: 2 });
    expect(() => parseTpmsQuote(bytes)).not.toThrow();
  });
});
