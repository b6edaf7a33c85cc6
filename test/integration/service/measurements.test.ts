import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import {
  AZURE_MRTD,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createTdxVirtualMachine,
  TdxPlatform,
} from '../../lab/index.js';
import { base64Url, LabService, lenientPolicy, NONCE, PKI, post, verdictOf } from './lab-service.js';

/** A measurement of each part of evidence that is genuine and signed, pinned by a policy, through the service. */

const INTEL = createIntelPki();
const lab = await LabService.create();
const platform = new TdxPlatform({ pki: INTEL });
const tdVm = await createTdxVirtualMachine({ platform, vtpm: lab.vm.vtpm });

const EVIDENCE: { readonly [type: string]: JsonObject } = {
  snp: createSnpGuest({ pki: PKI, platform: lab.vm.platform }).wireEvidence({ nonce: NONCE }),
  tdx: createTdxGuest({ platform }).wireEvidence({ nonce: NONCE }),
  'az-snp-vtpm': lab.vm.wireEvidence({ nonce: NONCE }),
  'az-tdx-vtpm': tdVm.wireEvidence({ nonce: NONCE }),
};

/** The pinned value: the type of the evidence, the reference, the place of the claim in the answer, and the code of a mismatch. */
type Pin = readonly [type: string, section: string, member: string, code: string];

const PINS: readonly Pin[] = [
  ...['snp', 'az-snp-vtpm'].map((type): Pin => [type, 'snp', 'measurement', 'snp_measurement']),
  ...['tdx', 'az-tdx-vtpm'].map((type): Pin => [type, 'tdx', 'mrtd', 'tdx_measurement']),
  ...['az-snp-vtpm', 'az-tdx-vtpm'].flatMap((type): Pin[] => [
    [type, 'hcl', 'vmUniqueId', 'hcl_reference'],
    [type, 'tpm', '7', 'tpm_pcr'],
  ]),
];

const idOf = ([type, section, member]: Pin, kind: 'same' | 'other') =>
  `${type}-${section}-${member}-${kind}`.toLowerCase();

let service: RunningService;

beforeAll(async () => {
  for (const type of Object.keys(EVIDENCE)) await lab.writePolicy(lenientPolicy(`open-${type}`, { accepts: [type] }));
  const world = { intelRootPins: INTEL.pins };
  const keys = { intel: { pcs: 'off' }, azure: { paravisors: { mrtds: [AZURE_MRTD] } } };
  service = await lab.start(keys, world);
  for (const pin of PINS) {
    const [type, section, member] = pin;
    const actual = claimOf(await claimsOf(type), section, member);
    for (const kind of ['same', 'other'] as const) {
      const value = kind === 'same' ? actual : otherThan(actual);
      const reference = section === 'tpm' ? { pcrs: { sha256: { [member]: [value] } } } : { [member]: [value] };
      const members = { accepts: [type], referenceValues: [{ [section]: reference }] };
      await lab.writePolicy(lenientPolicy(idOf(pin, kind), members));
    }
  }
  await service.reload();
});

afterAll(() => lab.close());

function verify(type: string, policy: string) {
  const body = { evidence: EVIDENCE[type], nonce: base64Url(NONCE), policy };
  return post(service.url, '/verify', JSON.stringify(body));
}

const seen = new Map<string, JsonObject>();

async function claimsOf(type: string): Promise<JsonObject> {
  const known = seen.get(type);
  if (known !== undefined) return known;
  const answer = await verify(type, `open-${type}`);
  expect(verdictOf(answer)).toEqual(['allow']);
  seen.set(type, answer.body.claims);
  return answer.body.claims;
}

// biome-ignore lint/suspicious/noExplicitAny: claims as they came over HTTP
function claimOf(claims: any, section: string, member: string): JsonValue {
  if (section === 'tpm') return claims.tpm.pcrs.sha256[member];
  if (section === 'hcl') return claims.hcl.vmConfiguration[member];
  return claims[section][member];
}

/** The same with the last digit changed. */
function otherThan(actual: JsonValue): JsonValue {
  const text = String(actual);
  return text.slice(0, -1) + (text.endsWith('0') ? '1' : '0');
}

/** A vTPM quote of all PCRs whose value of PCR 23 did not arrive as it was quoted. */
describe('a PCR that no policy names', () => {
  const quoted = lab.vm.wireEvidence({ nonce: NONCE });
  const sending = (alter: (values: Record<string, unknown>) => void): JsonObject => {
    const evidence = structuredClone(quoted) as {
      readonly tpmQuote: { readonly pcrs: { readonly sha256: Record<string, unknown> } };
    };
    alter(evidence.tpmQuote.pcrs.sha256);
    return evidence as unknown as JsonObject;
  };

  it.each<[string, (values: Record<string, unknown>) => void, string]>([
    ['left out', (values) => delete values['23'], 'tpm_pcr_selection'],
    ['altered', (values) => Object.assign(values, { '23': 'ab'.repeat(32) }), 'tpm_pcr_digest'],
  ])('is denied for that alone where its value is %s: the others were quoted', async (_, alter, code) => {
    const answer = await post(
      service.url,
      '/verify',
      JSON.stringify({
        evidence: sending(alter),
        nonce: base64Url(NONCE),
        policy: 'azure-cvm-baseline',
      }),
    );
    expect(verdictOf(answer)).toEqual(['deny', code]);
  });
});

describe('a measurement that a policy pins', () => {
  it.each(PINS)('SNP-24, TDX-18 allows %s evidence with its own %s.%s', async (...pin) => {
    expect(verdictOf(await verify(pin[0], idOf(pin, 'same')))).toEqual(['allow']);
  });

  it.each(PINS)('SNP-24, TDX-18 denies %s evidence with another %s.%s as %s', async (...pin) => {
    expect(verdictOf(await verify(pin[0], idOf(pin, 'other')))).toEqual(['deny', pin[3]]);
  });
});
