import { beforeAll, describe, expect, it } from 'vitest';
import { NO_ENDORSEMENTS } from '../../../src/core/endorsement.js';
import type { AzTdxVtpmEvidence, Evidence, TdxEvidence } from '../../../src/core/evidence.js';
import { BUILT_IN_POLICIES, parsePolicy } from '../../../src/library/policy.js';
import { parseKeySet, type VerifierOptions } from '../../../src/library/verifier.js';
import {
  type AmdPki,
  createAmdPki,
  createAzureAkPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createTdxVirtualMachine,
  createTrustedLaunchMachine,
  createVirtualMachine,
  LabMaa,
  LabTrustAuthority,
  labCcelEvents,
  TdxPlatform,
  TlsAuthority,
} from '../../lab/index.js';
import { type Asked, byLibrary, byService, verifiersOfService } from './both-ways.js';

/** Evidence of the lab, genuine and wrong in one place, by the library and by the service. */

const AT = new Date('2026-01-15T12:00:00Z');
const LATER = new Date('2027-06-01T00:00:00Z');
const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);
const OTHER_NONCE = new Uint8Array(32).fill(7);
/** Hex of 16 bytes, sent as the bytes that its digits are in base64url. */
const HEX_NONCE = Buffer.from('ab'.repeat(24), 'base64url');
const JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
};

const POLICIES = [
  '{ id: lenient, accepts: [snp, tdx, az-snp-vtpm, az-tdx-vtpm], revocation: best-effort, paravisor: any, freshness: none,',
  '{ id: vtpm, accepts: [tpm], routes: { hardware: off }, freshness: none,',
  '{ id: tokens, accepts: [maa-token, ita-token], routes: { hardware: off }, freshness: none,',
  '{ id: fresh, accepts: [snp, az-snp-vtpm],',
].map((members) => parsePolicy(`${members} apiVersion: veritee/v1, version: 1, minimums: any }`));

type Made = Pick<Asked, 'evidence'> & Partial<Asked>;

async function createCases() {
  const amd: AmdPki = createAmdPki({ at: AT });
  const intel = createIntelPki({ at: AT });
  const akPki = createAzureAkPki({ at: AT });
  const options = { tls: new TlsAuthority(), clock: () => AT };
  const maa = await LabMaa.start({ pki: amd, ...options });
  const ita = await LabTrustAuthority.start({ issuer: 'Lab Trust Authority', ...options });
  const vm = await createVirtualMachine({ pki: amd });
  const platform = new TdxPlatform({ pki: intel });
  const td = createTdxGuest({ platform, ccel: labCcelEvents() });
  const tdVm = await createTdxVirtualMachine({ platform, vtpm: vm.vtpm });
  const machine = await createTrustedLaunchMachine({ pki: akPki, vtpm: vm.vtpm });
  const guest = createSnpGuest({ pki: amd });
  const keysOf = (keySet: unknown) => {
    const { keys } = parseKeySet(Buffer.from(JSON.stringify(keySet)));
    return { ...NO_ENDORSEMENTS, tokenKeys: { value: { keys, crls: [] }, origin: 'store' } } as const;
  };
  const maaToken = (token: string): Made => ({
    evidence: { type: 'maa-token', token },
    endorsements: keysOf(maa.keySet()),
  });
  const itaToken = (token: string): Made => ({
    evidence: { type: 'ita-token', token },
    endorsements: keysOf(ita.keySet()),
  });
  const of = (evidence: Evidence): Made => ({ evidence });
  const ofTd = (evidence: TdxEvidence | AzTdxVtpmEvidence): Made => {
    const { collateral } = evidence;
    if (collateral === null) return { evidence };
    const unconfirmed = { why: 'no Intel source is configured', issuedSince: null };
    return {
      evidence,
      endorsements: { ...NO_ENDORSEMENTS, tdx: { value: collateral, origin: 'evidence', unconfirmed } },
    };
  };
  const report = guest.evidence({ nonce: NONCE });
  const collateral = platform.collateral({});
  const cases: Readonly<Record<string, Made>> = {
    'an SNP report': of(report),
    'an SNP report without CRL': of(guest.evidence({ nonce: NONCE, endorsements: { crls: [] } })),
    'an SNP report cut short': of({ ...report, report: report.report.subarray(0, 1000) }),
    'an SNP report with a flipped bit': of({ ...report, report: flipped(report.report, 0x90) }),
    'an SNP report of a Turin': of(createSnpGuest({ pki: amd, part: 'Turin' }).evidence({ nonce: NONCE })),
    'an SNP report after its CRL ended': { evidence: report, at: LATER },
    'a TD quote with its event log': ofTd(td.evidence({ nonce: NONCE })),
    'a TD quote without collateral': ofTd(td.evidence({ nonce: NONCE, collateral: null })),
    'a TD quote with collateral of a source': {
      evidence: td.evidence({ nonce: NONCE, collateral: null }),
      endorsements: { ...NO_ENDORSEMENTS, tdx: { value: collateral, origin: 'store' } },
    },
    'an Azure VM on SEV-SNP': of(vm.evidence({ nonce: NONCE })),
    'an Azure VM on SEV-SNP with a bound key': { evidence: vm.evidence({ nonce: NONCE, jwk: JWK }), jwk: JWK },
    'an Azure VM on SEV-SNP with another nonce': { evidence: vm.evidence({ nonce: OTHER_NONCE }) },
    'an Azure VM on SEV-SNP without a nonce': { evidence: vm.evidence({}), nonce: null },
    'an Azure VM on SEV-SNP whose caller wrote the nonce in hex': {
      evidence: vm.evidence({ nonce: Buffer.from(HEX_NONCE.toString('base64url'), 'hex'), jwk: JWK }),
      nonce: HEX_NONCE,
      jwk: JWK,
    },
    'an Azure VM on TDX': ofTd(tdVm.evidence({ nonce: NONCE })),
    'a vTPM alone': of(machine.evidence({ nonce: NONCE })),
    'a token of Azure Attestation': maaToken(maa.issueAzureVm({ hclReport: vm.hclReport({ nonce: NONCE }) })),
    'a token of Azure Attestation with other keys': {
      ...maaToken(maa.issueAzureVm({ hclReport: vm.hclReport({ nonce: NONCE }) })),
      endorsements: keysOf(ita.keySet()),
    },
    'a token of Intel Trust Authority': itaToken(ita.issue()),
    'a token that is none': maaToken('not.a.token'),
  };
  const anchors: VerifierOptions = {
    amdPins: amd.pins(),
    intelPins: intel.pins,
    akRoots: { azure: akPki.pins, configured: new Set(), paravisorsSince: null },
    maaIssuers: new Map([
      [maa.issuer, { issuer: maa.issuer, policyHashes: 'any', policySigners: null, teeSigner: 'any' } as const],
    ]),
    itaIssuers: new Map([[ita.issuer, { issuer: ita.issuer, roots: null, policyIds: new Set<string>() }]]),
  };
  await Promise.all([maa.close(), ita.close()]);
  return { cases, anchors };
}

function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.map((byte, index) => (index === offset ? byte ^ 1 : byte));
}

let made: Awaited<ReturnType<typeof createCases>>;

beforeAll(async () => {
  made = await createCases();
});

describe('the library', () => {
  it('makes the same checks and decisions as the service, of evidence of the lab', async () => {
    const { cases, anchors } = made;
    const service = verifiersOfService({}, anchors);
    const allowed = new Set<string>();
    for (const [name, asked] of Object.entries(cases)) {
      const whole = { nonce: NONCE, at: AT, ...asked };
      for (const policies of [[...POLICIES, ...BUILT_IN_POLICIES], ...POLICIES.map((policy) => [policy])]) {
        const found = await byLibrary({ ...whole, policies }, anchors);
        expect(found, name).toEqual(await byService({ ...whole, policies }, service));
        if (found['decision'] === 'allow') allowed.add(name);
      }
    }
    expect([...allowed]).toEqual([
      'an SNP report',
      'an SNP report without CRL',
      'an SNP report of a Turin',
      'an SNP report after its CRL ended',
      'a TD quote with its event log',
      'a TD quote with collateral of a source',
      'an Azure VM on SEV-SNP',
      'an Azure VM on SEV-SNP with a bound key',
      'an Azure VM on SEV-SNP without a nonce',
      'an Azure VM on TDX',
      'a vTPM alone',
      'a token of Azure Attestation',
    ]);
  });
});
