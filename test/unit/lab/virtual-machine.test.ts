import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseHclReport } from '../../../src/tee/azure/format/hcl-report.js';
import { expectedBinding } from '../../../src/tee/shared/binding/expected-binding.js';
import { parseSnpReport } from '../../../src/tee/snp/format/snp-report.js';
import { parseTpmsQuote } from '../../../src/tee/tpm/format/tpms-attest.js';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import {
  boundValue,
  buildHclReport,
  buildRuntimeClaims,
  buildSnpReport,
  buildTpmsQuote,
  createVirtualMachine,
  jwkThumbprint,
  SnpGuest,
  withOtherSnpSignature,
  withSnpSignature,
} from '../../lab/index.js';
import { azSnpEvidenceOf } from '../../real-evidence.js';
import { haveVectors, vectors } from '../../vectors.js';
import { JWK, NONCE, PKI } from '../tee/fixture.js';

const vm = await createVirtualMachine({ pki: PKI });
const guest = new SnpGuest(vm.platform);

const asBody = (evidence: unknown) => Buffer.from(JSON.stringify({ evidence }));

describe('evidence of the lab on the wire', () => {
  it('is read back as it was made', () => {
    const azure = vm.evidence({ nonce: NONCE });
    const bare = guest.evidence({ nonce: NONCE, jwk: JWK, runtimeData: 'nonce' });
    for (const [evidence, wire] of [
      [azure, vm.wireEvidence({ nonce: NONCE })],
      [bare, guest.wireEvidence({ nonce: NONCE, jwk: JWK, runtimeData: 'nonce' })],
    ] as const) {
      const read = readVerifyRequest(asBody(wire)).evidence;
      expect(read.type).toBe(evidence.type);
      expect(Object.keys(read).sort()).toEqual(Object.keys(evidence).sort());
      const { chain } = evidence.endorsements;
      expect(read).toMatchObject({ endorsements: { chain, certificateTable: null } });
    }
    const read = readVerifyRequest(asBody(vm.wireEvidence({ nonce: NONCE }))).evidence;
    if (read.type !== 'az-snp-vtpm') throw new TypeError('read as another type');
    expect([...read.tpmQuote.pcrs.keys()]).toEqual(['sha256']);
    expect(Buffer.from(read.tpmQuote.message)).toEqual(Buffer.from(azure.tpmQuote.message));
  });

  it('holds the X that the verifier expects', async () => {
    expect(boundValue(NONCE)).toEqual(NONCE);
    expect(Buffer.from(boundValue(NONCE, JWK))).toEqual(Buffer.from(expectedBinding(NONCE, JWK).value));
    expect(boundValue(NONCE, JWK)).toHaveLength(40);
    const members = { kty: 'EC', crv: String(JWK['crv']), x: String(JWK['x']), y: String(JWK['y']) };
    expect(Buffer.from(jwkThumbprint(JWK)).toString('base64url')).toBe(await calculateJwkThumbprint(members));
  });

  it('has another signature, and has the first one again after two changes', () => {
    const { report } = guest.evidence();
    expect(withOtherSnpSignature(report)).not.toEqual(report);
    expect(withOtherSnpSignature(withOtherSnpSignature(report))).toEqual(report);
  });
});

describe.skipIf(!haveVectors)('builders against real evidence', () => {
  const real = haveVectors ? vectors('az-snp-vtpm').filter(({ id }) => id.startsWith('az-snp-milan')) : [];

  it.each(real.map((vector) => [vector.id, vector] as const))('write the bytes of %s again', (_, vector) => {
    const { hclReport, tpmQuote } = azSnpEvidenceOf(vector);
    const hcl = parseHclReport(hclReport);
    const { hardwareReport, runtimeClaims, version } = hcl;
    expect(Buffer.from(buildHclReport({ hardwareReport, runtimeClaims, version }))).toEqual(Buffer.from(hclReport));
    expect(Buffer.from(rebuiltReport(hardwareReport))).toEqual(Buffer.from(hardwareReport));
    expect(Buffer.from(rebuiltClaims(runtimeClaims)).toString()).toBe(Buffer.from(runtimeClaims).toString());
    const { selections, safe, ...quote } = parseTpmsQuote(tpmQuote.message);
    const written = selections.map(({ algorithm, indices }) => ({ bank: algorithm, indices }));
    const message = buildTpmsQuote({ ...quote, safe: Number(safe), selections: written });
    expect(Buffer.from(message)).toEqual(Buffer.from(tpmQuote.message));
  });
});

function rebuiltReport(bytes: Uint8Array): Uint8Array {
  const report = parseSnpReport(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const versions = (text: string) => text.split('.').map(Number) as [number, number, number];
  const half = (start: number) =>
    BigInt(`0x${Buffer.from(report.signature.subarray(start, start + 48)).toString('hex')}`);
  const built = buildSnpReport({
    ...report,
    policy: view.getBigUint64(0x008, true),
    signatureAlgorithm: 1,
    platformInfo: view.getBigUint64(0x040, true),
    keyInfo: view.getUint32(0x048, true),
    currentTcb: report.tcb.current,
    committedTcb: report.tcb.committed,
    reportedTcb: report.tcb.reported,
    launchTcb: report.tcb.launch,
    currentFirmware: versions(report.firmware.current),
    committedFirmware: versions(report.firmware.committed),
  });
  return withSnpSignature(built, { r: half(0), s: half(48) });
}

/** The members as the real claims have them: Azure writes no others, and in the builder's order. */
function rebuiltClaims(bytes: Uint8Array): Uint8Array {
  const { keys, 'user-data': userData, 'vm-configuration': real } = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const [ak, ek] = keys;
  const text = Buffer.from(
    buildRuntimeClaims({
      ak: rsaMembers(ak),
      ek: rsaMembers(ek),
      userData: Buffer.from(userData, 'hex'),
      vmConfiguration: null,
    }),
  ).toString('utf8');
  return Buffer.from(text.replace('],"user-data"', `],"vm-configuration":${JSON.stringify(real)},"user-data"`));
}

function rsaMembers({ kty, e, n }: { kty: string; e: string; n: string }) {
  return { kty, e, n };
}
