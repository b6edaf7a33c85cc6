import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../../src/core/errors.js';
import { parseGoTpmAttestation } from '../../../../../src/tee/tpm/format/go-tpm-attestation.js';
import { joinBytes } from '../../../../lab/byte-patch.js';
import {
  buildGoTpmAttestation,
  buildGoTpmQuote,
  type GoTpmFields,
  goTpmPcr,
  HASH_ALGO,
  protobufField,
} from '../../../../lab/go-tpm-attestation-builder.js';

const bytes = (text: string) => Uint8Array.from(Buffer.from(text));
const PCRS = new Map(Array.from({ length: 24 }, (_, index) => [index, new Uint8Array(32).fill(index)]));
const QUOTE = { message: bytes('quote'), signature: bytes('signature'), pcrs: new Map([['sha256', PCRS]] as const) };
const SHA256 = buildGoTpmQuote(QUOTE, 'sha256');
const FIELDS: GoTpmFields = {
  ak_pub: bytes('public'),
  quotes: [SHA256],
  event_log: bytes('log'),
  ak_cert: bytes('certificate'),
  intermediate_certs: [bytes('issuer'), bytes('root')],
};

const parse = (fields: GoTpmFields = {}) => parseGoTpmAttestation(buildGoTpmAttestation({ ...FIELDS, ...fields }));

/** Code and message of what a change of the genuine attestation is refused with. */
function refusalOf(change: () => unknown): readonly [string, string] {
  try {
    change();
  } catch (error) {
    if (error instanceof FormatError) return [error.code, error.message];
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** A quote whose PCRs, or whose other fields, are as they stand. */
const quoteOf = (pcrs: readonly Uint8Array[], others = [protobufField(1, bytes('q')), protobufField(2, bytes('s'))]) =>
  joinBytes(...others, protobufField(3, joinBytes(...pcrs)));
const hash = (value: number) => protobufField(1, value);
const withQuotes = (...quotes: readonly Uint8Array[]) => refusalOf(() => parse({ quotes }));
const entry = (...fields: readonly Uint8Array[]) => protobufField(2, joinBytes(...fields));

describe('parseGoTpmAttestation', () => {
  it('reads key, quote, log and certificates', () => {
    expect(parse()).toEqual({
      akPublic: bytes('public'),
      quote: { hash: HASH_ALGO.sha256, message: bytes('quote'), signature: bytes('signature'), pcrs: PCRS },
      eventLog: bytes('log'),
      akCertificate: bytes('certificate'),
      intermediates: [bytes('issuer'), bytes('root')],
    });
  });

  it('has no log and no intermediate certificates where there are none', () => {
    const { ak_pub, quotes, ak_cert } = FIELDS;
    const read = parseGoTpmAttestation(buildGoTpmAttestation({ ak_pub, quotes, ak_cert } as GoTpmFields));
    expect([read.eventLog, read.intermediates]).toEqual([null, []]);
  });

  it('takes the SHA-256 quote among those of other banks, and ignores instance_info', () => {
    const others = (['sha1', 'sha384', 'sha512'] as const).map((bank) => buildGoTpmQuote(QUOTE, bank));
    const unknown = quoteOf([hash(0x0027)]);
    for (const quotes of [
      [...others, unknown, SHA256],
      [SHA256, ...others],
    ]) {
      expect(parse({ quotes, instance_info: bytes('anything') }).quote).toEqual(parse().quote);
    }
  });

  it('reads a PCR whose index is left out as PCR 0', () => {
    const zero = quoteOf([hash(HASH_ALGO.sha256), entry(protobufField(2, bytes('v')))]);
    expect(parse({ quotes: [zero] }).quote.pcrs).toEqual(new Map([[0, bytes('v')]]));
  });

  it.each<[keyof GoTpmFields, string, string]>([
    ['sev_snp_attestation', 'type_mismatch', 'tee_attestation (sev_snp_attestation)'],
    ['tdx_attestation', 'type_mismatch', 'tee_attestation (tdx_attestation)'],
    ['canonical_event_log', 'unknown_property', 'canonical_event_log'],
  ])('refuses %s by its name, empty too', (name, code, said) => {
    for (const value of [bytes('x'), new Uint8Array()]) {
      expect(refusalOf(() => parse({ [name]: value }))).toEqual([code, expect.stringContaining(said)]);
    }
  });

  it.each([
    ['ak_pub', 1],
    ['event_log', 3],
    ['instance_info', 4],
    ['canonical_event_log', 5],
    ['ak_cert', 6],
    ['sev_snp_attestation', 8],
    ['tdx_attestation', 9],
  ])('refuses a second %s by its name', (name, number) => {
    const again = joinBytes(protobufField(number, bytes('a')), protobufField(number, bytes('a')));
    const { [name as keyof GoTpmFields]: _, ...others } = FIELDS;
    const attestation = joinBytes(buildGoTpmAttestation(others), again);
    const expected = ['duplicate_key', `Attestation.${name} is there twice`];
    expect(refusalOf(() => parseGoTpmAttestation(attestation))).toEqual(expected);
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['Quote.quote', [protobufField(1, bytes('a')), protobufField(1, bytes('a'))]],
    ['Quote.raw_sig', [protobufField(2, bytes('a')), protobufField(2, bytes('a'))]],
    ['Quote.pcrs', [protobufField(3, bytes(''))]],
  ])('refuses a second %s by its name', (name, others) => {
    expect(withQuotes(quoteOf([hash(11)], [...others]))).toEqual(['duplicate_key', `${name} is there twice`]);
  });

  it.each<[string, readonly Uint8Array[], string]>([
    ['a second bank', [hash(11), hash(11)], 'PCRs.hash is there twice'],
    ['a PCR twice', [hash(11), goTpmPcr(7, bytes('a')), goTpmPcr(7, bytes('a'))], 'PCRs.pcrs has PCR 7 twice'],
    ['PCR 0 twice', [hash(11), goTpmPcr(0, bytes('a')), entry(protobufField(2, bytes('a')))], 'PCRs.pcrs has PCR 0'],
    ['an index twice', [hash(11), entry(protobufField(1, 1), protobufField(1, 1))], 'PCRs.pcrs.key is there twice'],
    [
      'a value twice',
      [hash(11), entry(protobufField(2, bytes('a')), protobufField(2, bytes('a')))],
      'PCRs.pcrs.value is there twice',
    ],
  ])('refuses %s in the PCRs', (_title, pcrs, said) => {
    expect(withQuotes(quoteOf(pcrs))).toEqual(['duplicate_key', expect.stringContaining(said)]);
  });

  it('refuses two quotes of one bank', () => {
    expect(withQuotes(SHA256, SHA256)).toEqual(['duplicate_key', 'Attestation.quotes has two quotes of the bank 0xb']);
    const sha1 = buildGoTpmQuote(QUOTE, 'sha1');
    expect(withQuotes(sha1, SHA256, sha1)[0]).toBe('duplicate_key');
  });

  it('refuses PCR 24, and what is in no message', () => {
    expect(withQuotes(quoteOf([hash(11), goTpmPcr(24, bytes('a'))]))).toEqual([
      'tpm_format',
      'PCRs.pcrs has PCR 24, and a TPM has 0 to 23',
    ]);
    const unknown = protobufField(10, bytes('a'));
    const known = buildGoTpmAttestation(FIELDS);
    expect(refusalOf(() => parseGoTpmAttestation(joinBytes(known, unknown)))).toEqual([
      'unknown_property',
      'Attestation has the field 10, which is not known',
    ]);
    expect(withQuotes(joinBytes(SHA256, unknown))[1]).toContain('Quote has the field 10');
    expect(withQuotes(quoteOf([hash(11), unknown]))[1]).toContain('PCRs has the field 10');
    expect(withQuotes(quoteOf([hash(11), entry(unknown)]))[1]).toContain('PCRs.pcrs has the field 10');
  });

  it.each<[string, () => unknown]>([
    ['Attestation.ak_pub', () => parseGoTpmAttestation(new Uint8Array())],
    ['Attestation.ak_pub', () => parse({ ak_pub: undefined } as object)],
    ['Attestation.ak_cert', () => parse({ ak_cert: undefined } as object)],
    ['the SHA-256 quote of Attestation.quotes', () => parse({ quotes: [] })],
    ['the SHA-256 quote of Attestation.quotes', () => parse({ quotes: [buildGoTpmQuote(QUOTE, 'sha1')] })],
    ['Quote.quote', () => parse({ quotes: [quoteOf([hash(11)], [protobufField(2, bytes('s'))])] })],
    ['Quote.raw_sig', () => parse({ quotes: [quoteOf([hash(11)], [protobufField(1, bytes('q'))])] })],
    ['Quote.pcrs', () => parse({ quotes: [protobufField(1, bytes('q'))] })],
    ['PCRs.hash', () => parse({ quotes: [quoteOf([])] })],
    ['PCRs.pcrs of PCR 3', () => parse({ quotes: [quoteOf([hash(11), entry(protobufField(1, 3))])] })],
  ])('refuses an attestation without %s', (name, change) => {
    expect(refusalOf(change)).toEqual(['schema', `${name} is missing`]);
  });

  it('reads at most 8 quotes, 24 PCRs of one and 8 intermediate certificates', () => {
    const quotes = Array.from({ length: 8 }, (_, index) => quoteOf([hash(index + 4)]));
    expect(parse({ quotes }).quote.pcrs.size).toBe(0);
    expect(withQuotes(...quotes, quoteOf([hash(99)]))[1]).toBe('Attestation.quotes is there more than 8 times');
    const pcrs = Array.from({ length: 25 }, () => goTpmPcr(0, bytes('a')));
    expect(withQuotes(quoteOf([hash(11), ...pcrs]))[1]).toBe('PCRs.pcrs is there more than 24 times');
    const certificates = Array.from({ length: 9 }, () => bytes('c'));
    expect(parse({ intermediate_certs: certificates.slice(1) }).intermediates).toHaveLength(8);
    expect(refusalOf(() => parse({ intermediate_certs: certificates }))[1]).toContain('Attestation.intermediate_certs');
  });
});
