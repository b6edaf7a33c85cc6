import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  boundValue,
  buildCcel,
  buildTdReport,
  CCEL_EVENT,
  type CcelEvent,
  createAzureAkPki,
  createIntelPki,
  createTdxGuest,
  createTdxVirtualMachine,
  createVirtualMachine,
  labCcelEvents,
  replayCcel,
  TdxPlatform,
  tdQuoteLayout,
} from '../../lab/index.js';
import { haveVectors, readVector, vectors } from '../../vectors.js';
import { JWK, NONCE, PKI } from '../tee/fixture.js';

const AT = new Date('2026-06-01T12:00:00Z');
const platform = new TdxPlatform({ pki: createIntelPki({ at: AT }) });
const vm = await createTdxVirtualMachine({ platform, nonPersistedTpm: true });
const sha = (algorithm: string, bytes: Uint8Array) => Buffer.from(createHash(algorithm).update(bytes).digest());
const fieldOf = (quote: Uint8Array, offset: number, length: number) => {
  const { body } = tdQuoteLayout(quote);
  return Buffer.from(quote.subarray(body + offset, body + offset + length));
};

describe('a TD of the lab', () => {
  it('binds the nonce in REPORTDATA, with a key and without', () => {
    const guest = createTdxGuest({ platform });
    const bare = guest.evidence({ nonce: NONCE, jwk: JWK, quote: { version: 5 } });
    expect(fieldOf(bare.quote, 520, 40).equals(boundValue(NONCE, JWK))).toBe(true);
    expect(fieldOf(bare.quote, 560, 24)).toEqual(Buffer.alloc(24));
    const over = guest.evidence({ nonce: NONCE, runtimeData: 'nonce' });
    expect(fieldOf(over.quote, 520, 32).equals(sha('sha256', over.runtimeData ?? new Uint8Array()))).toBe(true);
    expect([bare.runtimeData, bare.ccel, bare.collateral?.tcbInfo.length !== 0]).toEqual([null, null, true]);
  });

  it('has the RTMRs that its log replays to', () => {
    const events = labCcelEvents();
    const { quote, ccel } = createTdxGuest({ platform, ccel: events }).evidence();
    const rtmrs = Buffer.concat(replayCcel(events));
    expect(fieldOf(quote, 328, 192).equals(rtmrs)).toBe(true);
    expect(rtmrs.subarray(144)).toEqual(Buffer.alloc(48));
    expect(ccel).toEqual(buildCcel(events));
    expect(createTdxGuest({ platform, ccel: events }).evidence({ ccel: null }).ccel).toBeNull();
  });

  it('goes over the wire', () => {
    const wire = createTdxGuest({ platform, ccel: labCcelEvents() }).wireEvidence({ runtimeData: { text: '{}' } });
    expect(Object.keys(wire)).toEqual(['type', 'quote', 'runtimeData', 'collateral', 'ccel']);
    expect(Object.keys(createTdxGuest({ platform }).wireEvidence({ collateral: null }))).toEqual(['type', 'quote']);
  });
});

describe('an Azure VM on TDX of the lab', () => {
  it('has the TDREPORT in its HCL report, with right hashes, over the claims', () => {
    const { hclReport } = vm.evidence({ nonce: NONCE });
    const view = new DataView(hclReport.buffer, hclReport.byteOffset);
    expect([view.getUint32(0x4c8, true), hclReport.byteLength]).toEqual([4, 2600]);
    const report = Buffer.from(hclReport.subarray(0x20, 0x20 + 1024));
    expect(report.subarray(32, 80).equals(sha('sha384', report.subarray(256, 495)))).toBe(true);
    expect(report.subarray(80, 128).equals(sha('sha384', report.subarray(512, 1024)))).toBe(true);
    const claims = hclReport.subarray(0x4d4, 0x4d4 + view.getUint32(0x4d0, true));
    expect(report.subarray(128, 160).equals(sha('sha256', claims))).toBe(true);
    expect(JSON.parse(Buffer.from(claims).toString())).toMatchObject({
      'vm-configuration': { 'tpm-persisted': false },
    });
  });

  it('has the same fields in quote and TDREPORT, and zeros after the quote', () => {
    const { hclReport, tdQuote } = vm.evidence({ nonce: NONCE, td: { mrConfigId: new Uint8Array(48).fill(7) } });
    const report = Buffer.from(hclReport.subarray(0x20, 0x20 + 1024));
    for (const [inReport, inQuote, length] of COMMON_FIELDS) {
      expect(report.subarray(inReport, inReport + length).equals(fieldOf(tdQuote, inQuote, length))).toBe(true);
    }
    expect(tdQuote.byteLength).toBe(5006);
    expect(tdQuote.subarray(tdQuoteLayout(tdQuote).end).every((byte) => byte === 0)).toBe(true);
  });

  it('differs in one of the two where told to', () => {
    const tdQuote = vm.tdQuote({ tdQuote: { fields: { mrTd: new Uint8Array(48).fill(1) } } });
    const tdReport = vm.tdReport({ tdReport: { fields: { mrTd: new Uint8Array(48).fill(2) } } });
    expect([fieldOf(tdQuote, 136, 1)[0], tdReport[528]]).toEqual([1, 2]);
    const odd = vm.tdReport({ tdReport: { afterHashing: [{ offset: 300, bytes: Uint8Array.of(9) }] } });
    expect(sha('sha384', odd.subarray(256, 495)).equals(odd.subarray(32, 80))).toBe(false);
  });

  it('keeps what the VM configuration says beside the TPM', () => {
    const read = (vmConfiguration: { 'secure-boot': boolean } | null) =>
      JSON.parse(Buffer.from(vm.runtimeClaims({ claims: { vmConfiguration } })).toString())['vm-configuration'];
    expect(read({ 'secure-boot': false })).toMatchObject({ 'secure-boot': false, 'tpm-persisted': false });
    expect(read(null)).toBeUndefined();
  });

  it('goes over the wire with the certificate of its attestation key', () => {
    const ak = createAzureAkPki({ at: AT }).certificate({ key: vm.vtpm.publicJwk });
    const wire = vm.wireEvidence({ nonce: NONCE, ak });
    const members = ['type', 'hclReport', 'tdQuote', 'tpmQuote', 'collateral', 'akCertificate', 'akChain'];
    expect(Object.keys(wire)).toEqual(members);
    expect(Object.keys(vm.wireEvidence({ collateral: null }))).toEqual(members.slice(0, 4));
  });

  it('is not alone in having one: the SEV-SNP machine has it too', async () => {
    const ak = createAzureAkPki({ at: AT }).certificate({ key: vm.vtpm.publicJwk });
    const snp = await createVirtualMachine({ pki: PKI, vtpm: vm.vtpm, ak });
    expect([snp.evidence().ak, snp.evidence({ ak: null }).ak]).toEqual([ak, null]);
    expect(snp.wireEvidence()['akChain']).toBe(ak.chain);
  });
});

describe.skipIf(!haveVectors)('builders against real TDREPORTs and logs', () => {
  const reports = haveVectors
    ? vectors('az-tdx-vtpm').map(({ id, files }) => [id, files.find((file) => file.endsWith('hcl-report.bin')) ?? ''])
    : [];

  it.each(reports)('write the TDREPORT of %s again, but for its MAC', (_, file = '') => {
    const real = Uint8Array.from(readVector(file).subarray(0x20, 0x20 + 1024));
    const view = new DataView(real.buffer);
    const field = (start: number, length = 48) => real.slice(start, start + length);
    const written = buildTdReport(
      {
        teeTcbSvn: field(264, 16),
        mrSeam: field(280),
        mrSignerSeam: field(328),
        seamAttributes: view.getBigUint64(376, true),
        tdAttributes: view.getBigUint64(512, true),
        xfam: view.getBigUint64(520, true),
        mrTd: field(528),
        mrConfigId: field(576),
        mrOwner: field(624),
        mrOwnerConfig: field(672),
        rtmrs: [field(720), field(768), field(816), field(864)],
        reportData: field(128, 64),
        teeTcbSvn2: field(384, 16),
        mrServiceTd: field(912),
      },
      { cpuSvn: field(16, 16), afterHashing: [{ offset: 224, bytes: field(224, 32) }] },
    );
    expect(Buffer.from(written).toString('hex')).toBe(Buffer.from(real).toString('hex'));
  });

  it('write a real log again, which replays to the RTMRs of its quote', () => {
    const log = Uint8Array.from(readVector('tdx/tdx-v4-with-ccel.ccel-data.bin'));
    const { events, end } = eventsOf(log);
    expect(Buffer.from(buildCcel(events, { padding: log.subarray(end) })).equals(log)).toBe(true);
    const quote = readVector('tdx/tdx-v4-with-ccel.quote.bin');
    expect(Buffer.concat(replayCcel(events)).equals(fieldOf(quote, 328, 192))).toBe(true);
    expect(events.some(({ type }) => type === CCEL_EVENT.efiVariableDriverConfig)).toBe(true);
  });
});

/** Offsets in TDREPORT and quote body, and length. */
const COMMON_FIELDS: readonly (readonly [number, number, number])[] = [
  [264, 0, 16],
  [280, 16, 48],
  [328, 64, 48],
  [376, 112, 8],
  [512, 120, 8],
  [520, 128, 8],
  [528, 136, 48],
  [576, 184, 48],
  [624, 232, 48],
  [672, 280, 48],
  [720, 328, 192],
  [128, 520, 64],
];

/** Events of a log with SHA-384 alone, after the first. */
function eventsOf(log: Uint8Array): { readonly events: readonly CcelEvent[]; readonly end: number } {
  const view = new DataView(log.buffer);
  const events: CcelEvent[] = [];
  let at = 32 + view.getUint32(28, true);
  while (at < log.byteLength && view.getUint32(at, true) !== 0xffffffff) {
    const size = view.getUint32(at + 62, true);
    const data = log.subarray(at + 66, at + 66 + size);
    const digest = log.subarray(at + 14, at + 62);
    events.push({ register: view.getUint32(at, true), type: view.getUint32(at + 4, true), digest, data });
    at += 66 + size;
  }
  return { events, end: at };
}
