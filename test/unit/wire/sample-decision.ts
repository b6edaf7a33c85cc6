import type { Check } from '../../../src/model/check.js';
import type { CheckId } from '../../../src/model/codes.js';
import type { Decision } from '../../../src/model/decision.js';

const TCB = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
const hex = (length: number) => 'ab'.repeat(length);

/** A decision with something in each of its members. */
export const DECISION: Decision = {
  decision: 'deny',
  decisionId: '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11',
  decidedAt: new Date('2026-01-15T12:00:00Z'),
  at: new Date('2026-01-15T12:00:00Z'),
  validUntil: new Date('2026-01-15T12:05:00.5Z'),
  historical: false,
  retryable: true,
  repeatable: true,
  retryAfterSeconds: 7,
  maaView: { 'x-ms-attestation-type': 'azurevm', absent: ['x-ms-ver'] },
  obtainedTokens: [],
  crossCheck: {
    routes: ['hardware', 'maa'],
    agree: false,
    differences: [{ claim: 'snp.vmpl', values: { hardware: 0, maa: 1 } }],
    differencesOmitted: 2,
    equal: ['snp.measurement'],
    notComparable: ['hcl.userData'],
  },
  evidence: { type: 'az-snp-vtpm', sha256: hex(32) },
  trust: {
    status: 'contraindicated',
    submods: {
      hardware: { status: 'affirming', vector: { hardware: 2, 'instance-identity': 2 } },
      vtpm: { status: 'contraindicated', vector: { executables: 99 } },
    },
  },
  policies: [
    {
      id: 'payments',
      version: 3,
      sha256: hex(32),
      outcome: 'deny',
      matched: ['snp_tcb_low'],
      unmatched: ['nonce_missing'],
    },
  ],
  checks: [
    {
      id: 'snp_signature',
      result: 'pass',
      about: '/evidence/hclReport',
      expected: null,
      actual: null,
      detail: 'it holds',
      policy: null,
    },
    {
      id: 'tpm_signature',
      result: 'fail',
      about: '/evidence/tpmQuote',
      expected: 'a',
      actual: { b: [1] },
      detail: 'it does not',
      policy: null,
    },
    skipped('tpm_magic', 'the signature did not hold'),
    skipped('tpm_not_quote', 'the signature did not hold'),
    skipped('hcl_claims', 'there are no claims'),
    alone('tpm_pcr'),
    alone('tpm_reset'),
    {
      id: 'snp_tcb_low',
      result: 'warn',
      about: '',
      expected: 24,
      actual: 23,
      detail: 'waived',
      policy: 'payments',
      waived: true,
    },
    {
      id: 'crl_unavailable',
      result: 'unavailable',
      about: '',
      expected: null,
      actual: null,
      detail: 'no list',
      policy: null,
      retryable: true,
    },
    {
      id: 'secure_boot',
      result: 'not_configured',
      about: '',
      expected: null,
      actual: null,
      detail: 'any',
      policy: 'payments',
    },
  ],
  reasons: ['tpm_signature', 'crl_unavailable'],
  claims: {
    snp: {
      version: 3,
      product: 'Milan',
      part: 'Milan',
      cpuid: { family: 25, model: 1, stepping: 1 },
      firmware: { current: '1.55.29', committed: '1.55.29' },
      mitigation: { current: '0x1', launch: '0x0' },
      signingKey: 'vcek',
      vmpl: 0,
      guestSvn: 7,
      policy: {
        abiMajor: 0,
        abiMinor: 31,
        smt: true,
        migrateMa: false,
        debug: false,
        singleSocket: false,
        cxlAllow: false,
        memAes256Xts: false,
        raplDis: false,
        ciphertextHidingDram: false,
        pageSwapDisable: false,
      },
      platformInfo: {
        smtEnabled: true,
        tsmeEnabled: false,
        eccEnabled: true,
        raplDisabled: false,
        ciphertextHidingDramEnabled: false,
        aliasCheckComplete: true,
        iommuWriteSafe: false,
        tioEnabled: false,
        unknownBits: [9],
      },
      tcb: { current: { ...TCB, fmc: 1 }, committed: TCB, reported: TCB, launch: TCB },
      authorKeyEnabled: false,
      measurement: hex(48),
      hostData: hex(32),
      idKeyDigest: hex(48),
      authorKeyDigest: hex(48),
      reportId: hex(32),
      reportIdMa: hex(32),
      chipId: hex(64),
      reportData: hex(64),
      familyId: hex(16),
      imageId: hex(16),
    },
    hcl: {
      reportType: 'snp',
      paravisor: { known: true, by: 'idKeyDigest' },
      akThumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
      userData: hex(64),
      vmConfiguration: { secureBoot: true, vmgsProvisioner: { name: 'a' }, unheardOf: [1, null] },
    },
    tpm: {
      pcrs: { sha256: { '0': hex(32), '23': hex(32) } },
      firmwareVersion: '1122334455667788',
      clock: { resetCount: 4, restartCount: 0, safe: true },
    },
  },
  endorsements: [
    {
      kind: 'vcek',
      sha256: hex(32),
      source: 'evidence',
      notAfter: new Date('2030-01-01T00:00:00Z'),
      revocation: 'not_applicable',
    },
    { kind: 'crl', sha256: hex(32), source: 'network', notAfter: new Date('2026-02-01T00:00:00Z'), revocation: 'good' },
  ],
  freshness: { nonce: 'challenge', bound: ['tpm.extraData', 'hcl.userData'], clockSkewSeconds: null },
  binding: { jkt: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs' },
  shadow: [
    {
      id: 'payments',
      version: 3,
      sha256: hex(32),
      outcome: 'deny',
      matched: [],
      unmatched: ['tdx_tcb_status'],
      reasons: ['tdx_tcb_status'],
      collateral: 'early',
      expectedFrom: { date: '2026-05-13', estimated: true },
    },
    {
      id: 'next',
      version: 1,
      sha256: hex(32),
      outcome: 'allow',
      matched: ['tdx_tcb_status'],
      unmatched: [],
      reasons: [],
      collateral: 'standard',
      expectedFrom: null,
    },
  ],
  receipt: 'aaa.bbb.ccc',
};

/** The least that a decision says: a signature did not hold, so no claim is known. */
export const BARE_DECISION: Decision = {
  ...DECISION,
  evidence: { type: 'snp', sha256: hex(32) },
  trust: { status: 'none', submods: {} },
  claims: {},
  maaView: null,
  crossCheck: null,
  obtainedTokens: [],
  endorsements: [],
  binding: null,
  shadow: [],
  receipt: null,
};

/** Skipped for a reason that no other check shares. */
function alone(id: CheckId): Check {
  return {
    id,
    result: 'skipped',
    about: '/evidence',
    expected: null,
    actual: null,
    detail: 'for itself',
    policy: null,
  };
}

function skipped(id: CheckId, because: string): Check {
  return { ...alone(id), detail: because, group: because };
}

/** One about a TD, with every kind of endorsement that it can rest on. */
export const TDX_DECISION: Decision = {
  ...BARE_DECISION,
  evidence: { type: 'tdx', sha256: hex(32) },
  claims: {
    tdx: {
      quoteVersion: 5,
      mrtd: hex(48),
      rtmr: [hex(48), hex(48), hex(48), hex(48)],
      mrConfigId: hex(48),
      mrOwner: hex(48),
      mrOwnerConfig: hex(48),
      mrSeam: hex(48),
      mrSignerSeam: hex(48),
      mrServiceTd: hex(48),
      teeTcbSvn: hex(16),
      tdAttributes: {
        debug: false,
        septVeDisable: true,
        migratable: false,
        pks: false,
        keyLocker: false,
        perfmon: false,
        icssd: false,
        lass: false,
        tpa: false,
      },
      xfam: hex(8),
      reportData: hex(64),
      ppid: hex(16),
      fmspc: hex(6),
      pceId: hex(2),
      tcb: {
        status: 'UpToDate',
        platformStatus: 'UpToDate',
        moduleStatus: null,
        qeStatus: 'UpToDate',
        date: '2025-05-14T00:00:00Z',
        evaluationDataNumber: 19,
        qeEvaluationDataNumber: 20,
        advisories: ['INTEL-SA-00837'],
      },
    },
  },
  endorsements: (
    ['pck', 'pck-ca', 'sgx-root', 'tcb-signing', 'tcb-info', 'qe-identity', 'crl', 'ak', 'ak-ca'] as const
  ).map((kind) => ({
    kind,
    sha256: hex(32),
    source: 'evidence',
    notAfter: new Date('2030-01-01T00:00:00Z'),
    revocation: 'not_applicable',
  })),
  freshness: { nonce: 'own', bound: ['tdx.reportData'], clockSkewSeconds: null },
};
