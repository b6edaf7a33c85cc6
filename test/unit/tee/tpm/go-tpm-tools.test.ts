import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../../src/core/errors.js';
import type { TpmEvidence } from '../../../../src/core/evidence.js';
import { evidenceSha256 } from '../../../../src/tee/evidence-identity.js';
import { readInspectRequest, readVerifyRequest } from '../../../../src/wire/read-requests.js';
import { formatErrorOf } from '../../../format-error-of.js';
import {
  buildEventLog,
  buildGoTpmAttestation,
  buildGoTpmQuote,
  createTrustedLaunchMachine,
  flipBit,
  type GoTpmFields,
  goTpmFields,
  grubBoot,
  joinBytes,
  measureInto,
  type TpmEvidenceOptions,
  type TrustedLaunchMachine,
  VirtualTpm,
} from '../../../lab/index.js';
import { HCL_REPORT, SNP_REPORT } from '../../wire/sample-bodies.js';
import { expectFailed, expectVerified, JWK, NONCE, OTHER_JWK, OTHER_NONCE } from '../fixture.js';
import { AK_PKI, FOREIGN_AK_PKI, MACHINE, verifyTpm } from './tpm-fixture.js';

const CHAIN = (['ca24', 'ca2025', 'root'] as const).map((name) => AK_PKI.authority(name).der);
const OTHER_TPM = await VirtualTpm.create();
const VALUE = '/evidence/value';

/** Native evidence as go-tpm-tools would have made it of the same machine. */
const nativeOf = (options: TpmEvidenceOptions = {}, machine: TrustedLaunchMachine = MACHINE) =>
  machine.evidence({ nonce: NONCE, ...options, quote: { signing: { form: 'tpmt' }, ...options.quote } });
const fieldsOf = (native: TpmEvidence, vtpm: VirtualTpm = MACHINE.vtpm) =>
  goTpmFields(native, vtpm.akPublic().subarray(2), CHAIN);
const NATIVE = nativeOf();
const FIELDS = fieldsOf(NATIVE);

const evidenceOf = (value: Uint8Array) => ({
  type: 'tpm',
  dialect: 'go-tpm-tools',
  value: Buffer.from(value).toString('base64'),
});
const read = (value: Uint8Array) =>
  readVerifyRequest(Buffer.from(JSON.stringify({ evidence: evidenceOf(value) }))).evidence as TpmEvidence;
const verify = async (fields: GoTpmFields, nonce: Uint8Array = NONCE) =>
  verifyTpm(read(buildGoTpmAttestation(fields)), { nonce });
const refusalOf = (fields: GoTpmFields) => formatErrorOf(() => read(buildGoTpmAttestation(fields)));

describe('dialect go-tpm-tools', () => {
  it('verifies with the chain in it, among quotes of other banks', async () => {
    const sha1 = MACHINE.vtpm.quote({ extraData: NONCE, selections: [{ bank: 'sha1', indices: [0, 7] }] });
    const quotes = [buildGoTpmQuote(sha1, 'sha1'), ...(FIELDS.quotes ?? [])];
    for (const fields of [FIELDS, { ...FIELDS, quotes, instance_info: Buffer.from('instance') }]) {
      const found = await verify(fields);
      expectVerified(found);
      expect(found.required).toContain('hcl_ak_mismatch');
      expect(found.bound).toEqual(['tpm.extraData']);
      expect(Object.keys(found.claims.tpm?.pcrs['sha256'] ?? {})).toHaveLength(24);
    }
  });

  it('verifies with a bound key, and with an attestation key on P-256', async () => {
    const bound = read(buildGoTpmAttestation(fieldsOf(nativeOf({ jwk: JWK }))));
    expectVerified(await verifyTpm(bound, { nonce: NONCE, jwk: JWK }));
    expectFailed(await verifyTpm(bound, { nonce: NONCE, jwk: OTHER_JWK }), 'nonce_mismatch');
    const vtpm = await VirtualTpm.create({ curve: 'P-256' });
    const machine = await createTrustedLaunchMachine({ pki: AK_PKI, vtpm });
    expectVerified(await verify(fieldsOf(nativeOf({}, machine), vtpm)));
  });

  it('has the identity of the native form', () => {
    expect(evidenceSha256(read(buildGoTpmAttestation(FIELDS)))).toBe(evidenceSha256(NATIVE));
    const inspected = Buffer.from(JSON.stringify(evidenceOf(buildGoTpmAttestation(FIELDS))));
    expect(readInspectRequest(inspected)).toEqual(read(buildGoTpmAttestation(FIELDS)));
  });

  it('has the boot of its event log', async () => {
    const vtpm = await VirtualTpm.create();
    measureInto(vtpm, grubBoot());
    const machine = await createTrustedLaunchMachine({ pki: AK_PKI, vtpm });
    const log = buildEventLog(grubBoot());
    const fieldsWith = (event_log: Uint8Array) => ({ ...fieldsOf(nativeOf({}, machine), vtpm), event_log });
    const found = await verify(fieldsWith(log));
    expectVerified(found);
    expect(found.claims.tpm?.eventLog).toMatchObject({ secureBoot: true });
    expectFailed(await verify(fieldsWith(buildEventLog(grubBoot().slice(0, -1)))), 'eventlog_replay');
  });

  it('denies another nonce: nonce_mismatch', async () => {
    expectFailed(await verify(FIELDS, OTHER_NONCE), 'nonce_mismatch');
    expectFailed(await verify(FIELDS, NONCE.subarray(0, -1)), 'nonce_mismatch');
  });

  it('HCL-14 denies an ak_pub of another key, and one of no restricted key, by its name: hcl_ak_mismatch', async () => {
    const areas = [
      [OTHER_TPM.akPublic(), 'ak_pub is of another key than the attestation key'],
      [MACHINE.vtpm.akPublic({ attributes: ['sign'] }), 'ak_pub is not that of a restricted signing key of a TPM'],
    ] as const;
    for (const [area, said] of areas) {
      const found = await verify({ ...FIELDS, ak_pub: area.subarray(2) });
      expectFailed(found, 'hcl_ak_mismatch');
      expect(found.checks.find(({ id }) => id === 'hcl_ak_mismatch')?.detail).toBe(said);
    }
  });

  it('HCL-14 denies the quote of another key, and a chain to no pinned root', async () => {
    const other = OTHER_TPM.quote({ extraData: NONCE, signing: { form: 'tpmt' } });
    expectFailed(await verify({ ...FIELDS, quotes: [buildGoTpmQuote(other, 'sha256')] }), 'tpm_signature');
    const foreign = (['ca24', 'ca2025', 'root'] as const).map((name) => FOREIGN_AK_PKI.authority(name).der);
    for (const intermediate_certs of [[], CHAIN.slice(1), CHAIN.toReversed(), foreign]) {
      expectFailed(await verify({ ...FIELDS, intermediate_certs }), 'ak_cert_untrusted');
    }
  });

  it('TPM-05, TPM-06 denies PCRs that are not those of the quote, and a quote of SHA-1 that says SHA-256', async () => {
    const { tpmQuote } = NATIVE;
    const sha256 = tpmQuote.pcrs.get('sha256') ?? new Map<number, Uint8Array>();
    const withPcrs = (pcrs: ReadonlyMap<number, Uint8Array>) =>
      verify({ ...FIELDS, quotes: [buildGoTpmQuote({ ...tpmQuote, pcrs: new Map([['sha256', pcrs]]) }, 'sha256')] });
    expectFailed(await withPcrs(new Map([...sha256].slice(1))), 'tpm_pcr_selection');
    expectFailed(await withPcrs(new Map([...sha256, [7, sha256.get(4) ?? new Uint8Array(32)]])), 'tpm_pcr_digest');
    const sha1 = MACHINE.vtpm.quote({
      extraData: NONCE,
      selections: [{ bank: 'sha1', indices: [0, 7] }],
      signing: { form: 'tpmt' },
    });
    const pcrs = new Map([['sha256', new Map([0, 7].map((index) => [index, MACHINE.vtpm.pcr('sha256', index)]))]]);
    const quotes = [buildGoTpmQuote({ ...sha1, pcrs: pcrs as typeof sha1.pcrs }, 'sha256')];
    const found = await verify({ ...FIELDS, quotes });
    expectFailed(found, 'tpm_pcr_selection', 'tpm_weak_bank');
  });

  it('never verifies with a bit of quote, signature or PCRs flipped', async () => {
    const [quote = new Uint8Array()] = FIELDS.quotes ?? [];
    for (let offset = 0; offset < quote.byteLength; offset++) {
      const outcome = await verify({ ...FIELDS, quotes: [flipBit(quote, offset, offset % 8)] }).catch((error) => error);
      if (outcome instanceof FormatError) continue;
      expect(outcome.checks.some(({ result }: { result: string }) => result === 'fail')).toBe(true);
    }
  });

  it.each<[string, GoTpmFields, string]>([
    ['REQ-05 no ak_cert', { ...FIELDS, ak_cert: undefined } as object, 'schema'],
    ['REQ-05 no ak_pub', { ...FIELDS, ak_pub: undefined } as object, 'schema'],
    ['REQ-05 no quote of SHA-256', { ...FIELDS, quotes: [buildGoTpmQuote(NATIVE.tpmQuote, 'sha1')] }, 'schema'],
    ['REQ-04 canonical_event_log', { ...FIELDS, canonical_event_log: Buffer.from('log') }, 'unknown_property'],
    ['REQ-12 sev_snp_attestation', { ...FIELDS, sev_snp_attestation: SNP_REPORT }, 'type_mismatch'],
    ['REQ-12 tdx_attestation', { ...FIELDS, tdx_attestation: Buffer.from('quote') }, 'type_mismatch'],
    [
      'two quotes of SHA-256',
      { ...FIELDS, quotes: [...(FIELDS.quotes ?? []), ...(FIELDS.quotes ?? [])] },
      'duplicate_key',
    ],
    [
      'REQ-12 an HCL report in place of the quote',
      { ...FIELDS, quotes: [buildGoTpmQuote({ ...NATIVE.tpmQuote, message: HCL_REPORT }, 'sha256')] },
      'type_mismatch',
    ],
  ])('refuses: %s', (_title, fields, code) => {
    expect(refusalOf(fields)).toEqual({ code, pointer: VALUE });
  });

  it.each<[string, Uint8Array, string]>([
    ['the attestation twice', joinBytes(buildGoTpmAttestation(FIELDS), buildGoTpmAttestation(FIELDS)), 'duplicate_key'],
    ['the attestation without its last byte', buildGoTpmAttestation(FIELDS).subarray(0, -1), 'tpm_format'],
    ['the attestation as text', Buffer.from('ak_pub: "AA"'), 'unknown_property'],
    ['the attestation as JSON', Buffer.from('{"akPub":"AA"}'), 'unknown_property'],
    ['nothing', new Uint8Array(), 'schema'],
    ['REQ-12 an SNP report', SNP_REPORT, 'type_mismatch'],
    ['REQ-12 a quote alone', NATIVE.tpmQuote.message, 'type_mismatch'],
  ])('refuses as value: %s', (_title, value, code) => {
    expect(formatErrorOf(() => read(value))).toEqual({ code, pointer: VALUE });
  });

  it('REQ-06 refuses a value that is no base64, hex, and an object', () => {
    const codeOf = (value: unknown) =>
      formatErrorOf(() =>
        readVerifyRequest(Buffer.from(JSON.stringify({ evidence: { ...evidenceOf(new Uint8Array()), value } }))),
      );
    const hex = Buffer.from(buildGoTpmAttestation(FIELDS)).toString('hex');
    for (const value of ['*', hex]) expect(codeOf(value)).toEqual({ code: 'encoding', pointer: VALUE });
    expect(codeOf({})).toEqual({ code: 'schema', pointer: VALUE });
  });

  it('REQ-12 is a dialect of tpm alone', () => {
    const evidence = { ...evidenceOf(buildGoTpmAttestation(FIELDS)), type: 'az-snp-vtpm' };
    expect(formatErrorOf(() => readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))))).toEqual({
      code: 'type_mismatch',
      pointer: '/evidence/dialect',
    });
  });
});
