import type { JsonObject } from '../../src/core/json.js';
import { AZURE_ID_KEY_DIGEST, AZURE_MRTD } from '../lab/index.js';
import { haveVectors, vector } from '../vectors.js';

/** The policies that bodies name beside the built-in ones. Each member of the grammar is in one of them. */

const HARDWARE = ['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm'] as const;
const TOKENS = ['maa-token', 'ita-token'] as const;
/** Of Trust Authority's, made up. */
export const ITA_POLICY = '1a2b3c4d-0000-4000-8000-0123456789ab';

const FLOORS = {
  Milan: { snp: 24, microcode: 219 },
  'Milan-X': { snp: 24, microcode: 68 },
  Genoa: { bootloader: 9, tee: 0, snp: 23, microcode: 84 },
  'Genoa-X': { snp: 23, microcode: 79 },
  'Bergamo-Siena': { snp: 23, microcode: 25 },
  Turin: { fmc: 1, microcode: 71 },
};
const TDX_FLOORS = {
  acceptedStatuses: ['UpToDate', 'SWHardeningNeeded'],
  earliestTcbDate: '2024-03-13',
  minEvaluationDataNumber: 17,
  maxCollateralAgeDays: 30,
};

/** Lets pass whatever is genuine. */
const PERMISSIVE = {
  accepts: HARDWARE,
  minimums: 'any',
  paravisor: 'any',
  routes: { maa: 'optional', ita: 'optional' },
  freshness: 'none',
  revocation: 'best-effort',
  allowDebug: true,
  require: { tdx: { allowMigratable: true, mrServiceTd: ['38'.repeat(48)] } },
};

/** The demands of a careful operator on present machines. */
const CAREFUL = { accepts: HARDWARE, minimums: { snp: FLOORS, tdx: TDX_FLOORS }, freshness: 'required' };

function require(): JsonObject {
  return {
    snp: {
      committedEqualsCurrent: true,
      platformInfo: {
        smtEnabled: true,
        tsmeEnabled: false,
        eccEnabled: true,
        raplDisabled: false,
        ciphertextHidingDramEnabled: false,
        aliasCheckComplete: true,
        iommuWriteSafe: false,
        tioEnabled: false,
      },
      mitigations: [0],
      minGuestSvn: 2,
      machines: { chipId: [...chipIds(), '11'.repeat(64)], cspId: ['CN=cloud.example'] },
    },
    tdx: {
      septVeDisable: true,
      allowMigratable: false,
      allowPerfmon: false,
      xfamMask: 'ff18060000000000',
      mrServiceTd: ['38'.repeat(48)],
      machines: { ppid: ['22'.repeat(16)] },
    },
  };
}

const QUOTED = { tpm: { quotedPcrs: [0, 1, 2, 3, 4, 5, 6, 7] } };
const ABOUT_TOKENS = {
  maa: {
    complianceStatus: ['azure-compliant-cvm'],
    attestationType: ['azurevm', 'sevsnpvm', 'tdxvm'],
    issuers: ['https://lab.weu.attest.azure.net'],
    tcbStatus: ['UpToDate'],
  },
  ita: { policyIds: [ITA_POLICY], issuers: ['Lab Trust Authority'] },
};

/** One of each finding that can be waived; all ended for `ended`. */
function waivers(expires: string): readonly JsonObject[] {
  const plain = [
    'crl_unavailable',
    'snp_platform_smt_enabled',
    'snp_platform_unknown',
    'snp_product_advisory',
    'nonce_stale',
    'hcl_paravisor_unknown',
    'collateral_unconfirmed',
    'crl_unconfirmed',
  ];
  const waived: readonly JsonObject[] = [
    ...plain.map((check) => ({ check })),
    { check: 'snp_tcb_low', value: { part: 'Milan', floor: { snp: 8, microcode: 115 } } },
    { check: 'tdx_tcb_status', value: 'OutOfDate' },
  ];
  return waived.map((one) => ({ ...one, reason: 'known', approver: 'security@example.com', expires }));
}

const WAIVED = {
  accepts: HARDWARE,
  minimums: { snp: { Milan: FLOORS.Milan }, tdx: { acceptedStatuses: ['UpToDate'] } },
  paravisor: 'any',
  require: { snp: { platformInfo: { smtEnabled: false } } },
};

const BARE = ['snp', 'tdx'] as const;
const STRICT_BARE = {
  accepts: BARE,
  minimums: { snp: FLOORS, tdx: TDX_FLOORS },
  require: { snp: { mitigations: [0, 1], minGuestSvn: 0 }, tdx: { septVeDisable: true } },
};

function strict(): JsonObject {
  return {
    ...CAREFUL,
    paravisor: 'known',
    routes: { hardware: 'required', maa: 'off', ita: 'off' },
    freshness: 'strict',
    nonce: 'any',
    revocation: 'required',
    binding: 'required',
    secureBoot: 'required',
    allowDebug: false,
    require: { ...require(), tpm: { ...QUOTED.tpm, trackResets: true, runtimePcrs: [10] } },
    referenceValues: referenceValues(),
    waivers: waivers('2100-01-01').filter(({ check }) => check === 'snp_product_advisory' || check === 'nonce_stale'),
  };
}

/** Of both languages; a claim in them is of another type than lab tokens can have it. */
const RULES = [
  { id: 'level', cel: "maa.claims['level'] == 3" },
  {
    id: 'guest',
    cel: "evidence.type == 'maa-token' ? maa.attestationType == 'azurevm' : ita.attestationType == 'TDX'",
  },
  {
    id: 'release',
    akv: {
      version: '1.0.0',
      anyOf: [
        {
          authority: 'https://lab.weu.attest.azure.net',
          allOf: [{ claim: 'x-ms-isolation-tee.x-ms-compliance-status', equals: 'azure-compliant-cvm' }],
        },
      ],
    },
    comparison: 'compatible',
  },
];

function policies(): Readonly<Record<string, object>> {
  return {
    permissive: PERMISSIVE,
    careful: CAREFUL,
    strict: strict(),
    'strict-bare': { ...STRICT_BARE, referenceValues: bareReferenceValues() },
    'of-lists': { ...PERMISSIVE, require: {}, referenceValues: referenceValues() },
    waived: { ...WAIVED, waivers: waivers('2100-01-01') },
    ended: { ...WAIVED, waivers: waivers('2024-01-01') },
    challenged: { ...PERMISSIVE, freshness: 'required', nonce: 'challenge', binding: 'required' },
    routes: { ...PERMISSIVE, routes: { maa: 'required', ita: 'off' } },
    'strict-routes': {
      ...CAREFUL,
      routes: { hardware: 'required', maa: 'required', ita: 'required' },
      require: { ...QUOTED, ...ABOUT_TOKENS },
    },
    tokens: {
      accepts: TOKENS,
      minimums: 'any',
      routes: { hardware: 'off', maa: 'optional', ita: 'optional' },
      freshness: 'none',
    },
    'strict-tokens': {
      accepts: TOKENS,
      minimums: 'any',
      routes: { hardware: 'off', maa: 'optional', ita: 'optional' },
      freshness: 'strict',
      secureBoot: 'required',
      require: ABOUT_TOKENS,
      waivers: [
        { check: 'maa_tcb_status', value: 'OutOfDate', reason: 'known', approver: 'me', expires: '2100-01-01' },
      ],
    },
    ruled: {
      accepts: TOKENS,
      minimums: 'any',
      routes: { hardware: 'off', maa: 'optional', ita: 'optional' },
      freshness: 'none',
      rules: RULES,
    },
    vtpm: { accepts: ['tpm'], minimums: 'any', routes: { hardware: 'off' } },
  };
}

/** Names and texts of the files of the policy directory. */
export function policyFiles(): readonly (readonly [name: string, text: string])[] {
  return Object.entries(policies()).map(([id, members]) => {
    return [`${id}.json`, JSON.stringify({ apiVersion: 'veritee/v1', id, version: 1, ...members })];
  });
}

/** Values of the lab's machines and of real ones, so that sets match and sets do not. */
function referenceValues(): readonly JsonObject[] {
  return [
    { appliesTo: { product: 'Milan' }, snp: { measurement: measurements(), vmpl: [0], hostData: ['00'.repeat(32)] } },
    { appliesTo: { product: 'Genoa' }, snp: { measurement: measurements(), authorKeyDigest: ['00'.repeat(48)] } },
    { snp: { idKeyDigest: [AZURE_ID_KEY_DIGEST] }, hcl: { vmUniqueId: ['7DF7B373-B947-4AAA-96E5-C358F2A03D20'] } },
    { tpm: { pcrs: { sha256: { '7': pcrs(7), '4': pcrs(4) } } } },
    { tdx: { mrtd: mrtds(), mrConfigId: ['00'.repeat(48)], mrOwner: ['00'.repeat(48)] } },
    {
      tdx: { mrOwnerConfig: ['00'.repeat(48)], mrSeam: ['5e'.repeat(48)] },
      tpm: { pcrs: { sha256: { '0': pcrs(0) } } },
    },
  ];
}

function bareReferenceValues(): readonly JsonObject[] {
  const rtmrs = { rtmr0: ['a0'.repeat(48)], rtmr1: ['a1'.repeat(48)], rtmr2: ['a2'.repeat(48)] };
  return [
    { tdx: { mrtd: ['d1'.repeat(48)], ...rtmrs, rtmr3: ['a3'.repeat(48)] } },
    { snp: { measurement: measurements(), vmpl: [0, 1] } },
  ];
}

const measurements = () => ['5a'.repeat(48), ...facts(['snp-genoa-v5', 'snp-milan-v3-b0'], (of) => of.measurement)];
const chipIds = () => facts(['snp-genoa-v5', 'snp-milan-v3-b0'], (of) => of.chipId);
const mrtds = () => ['d1'.repeat(48), AZURE_MRTD, ...facts(['tdx-v4-gcp-2026'], (of) => of.mrTd)];
const pcrs = (index: number) => [
  '77'.repeat(32),
  ...facts(['az-snp-milan-hcl1-b', 'az-tdx-v4-akchain-2026'], (of) => of.pcrsSha256[String(index)]),
];

// biome-ignore lint/suspicious/noExplicitAny: facts differ by family
function facts(ids: readonly string[], value: (facts: any) => string): readonly string[] {
  return haveVectors ? ids.map((id) => value(vector(id).expect.facts)) : [];
}
