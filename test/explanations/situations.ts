import { createHash } from 'node:crypto';
import type { Decision } from '../../src/core/decision.js';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../../src/core/endorsement.js';
import type { Evidence } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import type { AkRoots } from '../../src/tee/shared/attestation-key/ak-roots.js';
import { BASELINE, type Judged, judge, verifiersOf } from '../judge.js';
import {
  CCEL_EVENT,
  createAmdPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createVirtualMachine,
  labCcelEvents,
  maaJwk,
  TdxPlatform,
} from '../lab/index.js';
import { AT as TOKEN_AT } from '../unit/tee/fixture.js';
import { azureVm, keySetOf, ISSUER as MAA, maaVerifier, SIGNER, tokenOf } from '../unit/tee/maa/fixture.js';

/** Decisions of the lab that people have to understand, one for each way in which they usually go wrong. */

const AT = new Date('2026-01-15T12:00:00Z');
const NONCE = Uint8Array.from({ length: 32 }, (_, index) => 0x40 + index);
const OTHER_NONCE = new Uint8Array(32).fill(0x77);

/** The setting for the lab's evidence, made once for all situations. */
interface Lab {
  readonly guest: ReturnType<typeof createSnpGuest>;
  readonly old: ReturnType<typeof createSnpGuest>;
  readonly vm: Awaited<ReturnType<typeof createVirtualMachine>>;
  readonly td: ReturnType<typeof createTdxGuest>;
  /** As `td`, with a kernel in its event log. */
  readonly booted: ReturnType<typeof createTdxGuest>;
  /** Collateral of a TD counts as that of the request, and nothing else can be had. */
  judge(evidence: Evidence, policy: Judged['policies'][number], changed?: Partial<Judged>): Promise<Decision>;
}

export interface Situation {
  readonly title: string;
  /** The situation, for the reader. */
  readonly about: string;
  readonly decide: (lab: Lab) => Promise<Decision>;
}

export async function createSituationLab(): Promise<Lab> {
  const amd = createAmdPki({ at: AT });
  const intel = createIntelPki({ at: AT });
  const platform = new TdxPlatform({ pki: intel });
  const akRoots: AkRoots = { azure: new Set(), configured: new Set(), paravisorsSince: null };
  const verifiers = new Map([
    ...verifiersOf(amd.pins(), { intelPins: intel.pins, akRoots }),
    ['maa-token', maaVerifier()] as const,
  ]);
  return {
    guest: createSnpGuest({ pki: amd }),
    old: createSnpGuest({ pki: amd, tcb: { bootloader: 3, tee: 0, snp: 8, microcode: 115 } }),
    vm: await createVirtualMachine({ pki: amd }),
    td: createTdxGuest({ platform }),
    booted: createTdxGuest({ platform, ccel: bootWithFile() }),
    judge: (evidence, policy, changed = {}) =>
      judge(
        evidence,
        { nonce: NONCE },
        { verifiers, endorsements: suppliedBy(evidence), at: AT, policies: [policy], ...changed },
      ),
  };
}

function suppliedBy(evidence: Evidence): EndorsementSet {
  if (evidence.type !== 'tdx' || evidence.collateral === null) return NO_ENDORSEMENTS;
  return { ...NO_ENDORSEMENTS, tdx: { value: evidence.collateral, origin: 'evidence' } };
}

function policy(id: string, members: JsonObject): string {
  return JSON.stringify({ apiVersion: 'veritee/v1', id, version: 1, minimums: 'any', freshness: 'none', ...members });
}

const FLOORS = { snp: { Milan: { snp: 24, microcode: 219 } } };

const sha384 = (text: string) => createHash('sha384').update(text).digest();

/** A boot whose log shows the command line and the one file that GRUB read. */
function bootWithFile() {
  const read = (text: string, digest: Uint8Array) => ({
    register: 3,
    type: CCEL_EVENT.ipl,
    data: Buffer.from(`${text}\0`, 'latin1'),
    digest,
  });
  return [
    ...labCcelEvents().filter(({ register }) => register !== 3),
    read('kernel_cmdline: /vmlinuz ro', sha384('/vmlinuz ro')),
    read('/boot/vmlinuz-6.8.0-31-generic', sha384('kernel')),
  ];
}

const RELEASE = {
  version: '1.0.0',
  anyOf: [
    {
      authority: `${MAA}/`,
      allOf: [{ claim: 'x-ms-isolation-tee.x-ms-compliance-status', equals: 'azure-compliant-cvm' }],
    },
  ],
};

export const SITUATIONS: readonly Situation[] = [
  {
    title: 'All is well',
    about: 'A confidential VM of Azure on SEV-SNP under the built-in policy. Each group of checks is one line.',
    decide: ({ vm, judge: of }) => of(vm.evidence({ nonce: NONCE }), BASELINE),
  },
  {
    title: 'The microcode of the host is old',
    about: 'The report is genuine, and two parts of the TCB are below the minimums of the policy.',
    decide: ({ old, judge: of }) =>
      of(old.evidence({ nonce: NONCE }), policy('payments', { accepts: ['snp'], minimums: FLOORS })),
  },
  {
    title: 'Secure Boot is off',
    about: 'The paravisor says that the VM was started without Secure Boot, which the built-in policy requires.',
    decide: ({ vm, judge: of }) =>
      of(vm.evidence({ nonce: NONCE, claims: { vmConfiguration: { 'secure-boot': false } } }), BASELINE),
  },
  {
    title: 'The nonce is another one',
    about: 'The evidence was made for another request: somebody replays it, or the guest mixed two challenges up.',
    decide: ({ vm, judge: of }) => of(vm.evidence({ nonce: OTHER_NONCE }), BASELINE),
  },
  {
    title: 'The paravisor is not known',
    about: "Hardware vouches for the VM, but its ID_KEY_DIGEST is not Microsoft's and not one that the operator lists.",
    decide: ({ vm, judge: of }) =>
      of(vm.evidence({ nonce: NONCE, report: { fields: { idKeyDigest: new Uint8Array(48).fill(9) } } }), BASELINE),
  },
  {
    title: 'The TDX platform is out of date',
    about: "Intel's TCB info says OutOfDate of the level that the platform reaches.",
    decide: ({ td, judge: of }) =>
      of(
        td.evidence({ nonce: NONCE, collateral: { tcbInfo: { status: 'OutOfDate' } } }),
        policy('payments', { accepts: ['tdx'], minimums: { tdx: { acceptedStatuses: ['UpToDate'] } } }),
      ),
  },
  {
    title: 'A rule is false',
    about: 'One of two conditions of a rule does not hold. Every part has its value.',
    decide: ({ guest, judge: of }) =>
      of(
        guest.evidence({ nonce: NONCE, report: { fields: { guestSvn: 4 } } }),
        policy('payments', {
          accepts: ['snp'],
          rules: [{ id: 'patched', cel: "snp.guestSvn >= 5 && snp.product in ['Milan', 'Genoa']" }],
        }),
      ),
  },
  {
    title: 'A rule needs a claim that is absent',
    about: 'The guest sent no event log, so nothing shows how it booted. What is absent is never taken for good.',
    decide: ({ vm, judge: of }) =>
      of(
        vm.evidence({ nonce: NONCE }),
        policy('payments', {
          accepts: ['az-snp-vtpm'],
          rules: [{ id: 'booted', cel: 'snp.vmpl == 0 && size(tpm.eventLog.applications) == 2' }],
        }),
      ),
  },
  {
    title: 'A release policy names its authority with a slash at the end',
    about: 'Key Vault takes the two addresses as equal; strict comparison does not.',
    decide: ({ judge: of }) =>
      of(
        { type: 'maa-token', token: tokenOf(azureVm({ nonce: NONCE })) },
        policy('release', {
          accepts: ['maa-token'],
          routes: { hardware: 'off', maa: 'required' },
          rules: [{ id: 'key', akv: RELEASE }],
        }),
        { at: TOKEN_AT, endorsements: { snp: null, tokenKeys: keySetOf(maaJwk(SIGNER)) } },
      ),
  },
  {
    title: 'A boot file is not among the references',
    about: 'The kernel that GRUB read is not the one that the operator approved.',
    decide: ({ booted, judge: of }) =>
      of(
        booted.evidence({ nonce: NONCE }),
        policy('payments', {
          accepts: ['tdx'],
          referenceValues: [{ tdx: { boot: { files: [sha384('approved kernel').toString('hex')] } } }],
        }),
      ),
  },
  {
    title: 'The CRL of AMD is out of reach',
    about: 'Nothing speaks against the evidence, but whether its certificates are revoked is not known.',
    decide: ({ vm, judge: of }) => of(vm.evidence({ nonce: NONCE, endorsements: { crls: [] } }), BASELINE),
  },
];
