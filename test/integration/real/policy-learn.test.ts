import { describe, expect, it } from 'vitest';
import { hashed } from '../../../src/crypto/digest.js';
import { parseFirmwareEventLog } from '../../../src/formats/tcg-event-log.js';
import { PCR_LAYOUT } from '../../../src/measured-boot/register-layout.js';
import { replay } from '../../../src/measured-boot/replay.js';
import type { Decision } from '../../../src/model/decision.js';
import type { EndorsementSet } from '../../../src/model/endorsement.js';
import { FormatError } from '../../../src/model/errors.js';
import type { Evidence } from '../../../src/model/evidence.js';
import { lintPolicy } from '../../../src/policy/lint.js';
import { type Policy, parsePolicy } from '../../../src/policy/policy-document.js';
import { LearnPolicy } from '../../../src/service/learn-policy.js';
import { type Judged, judge, verifiersOf } from '../../judge.js';
import { measureInto } from '../../lab/event-log-builder.js';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../lab/index.js';
import { azSnpEvidenceOf, azTdxEvidenceOf, nonceOf, type ReadFile, realAkOf, realChains } from '../../real-evidence.js';
import { collateralOf, quoteFileOf } from '../../real-tdx-evidence.js';
import { runCases } from '../../unit/service/learn-fixture.js';
import {
  applyRecipe,
  haveVectors,
  type Recipe,
  readVector,
  recipes,
  type Vector,
  vector,
  vectors,
} from '../../vectors.js';

/** Policies that are learned from real machines allow these, and nothing else that there is. */

/** One piece of evidence, and all that it is judged with. */
interface Case {
  readonly evidence: Evidence;
  readonly nonce: Uint8Array | null;
  readonly judged: Omit<Judged, 'policies'>;
}

const AZURE = haveVectors
  ? vectors('az-snp-vtpm', 'az-tdx-vtpm').filter(({ expect: { facts } }) => facts.tpmQuote)
  : [];
const MRTDS = AZURE.flatMap(({ expect: { facts } }) => (facts.tdx === undefined ? [] : [facts.tdx.mrTd as string]));
const ACCEPTED = ['nonce_stale', 'nonce_missing'];

/** Names the MRTDs, as the configuration does. The older of the two TDs is out of date. */
const FROM = parsePolicy(
  JSON.stringify({
    apiVersion: 'veritee/v1',
    id: 'azure',
    version: 4,
    accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
    secureBoot: 'required',
    minimums: { snp: { Milan: { snp: 24, microcode: 219 } }, tdx: { acceptedStatuses: ['UpToDate', 'OutOfDate'] } },
    require: { tpm: { quotedPcrs: [0, 1, 2, 3, 4, 5, 6, 7] } },
    referenceValues: [{ tdx: { mrtd: MRTDS } }, { snp: { vmpl: [0] } }].filter((_, index) => index > 0 || haveVectors),
  }),
);

function collateralSet(evidence: Evidence): EndorsementSet {
  const collateral = 'collateral' in evidence ? evidence.collateral : null;
  return { snp: null, tdx: collateral === null ? null : { value: collateral, origin: 'evidence' } };
}

/** AMD's chains, and its own CRL of Milan. */
function amdSet(): EndorsementSet {
  const { snp } = realChains('vcek');
  if (snp === null) throw new Error('no chains');
  const crls = new Map([['Milan', { value: hashed(readVector('amd-crl/milan-6.crl')), origin: 'store' }]] as const);
  return { snp: { ...snp, crls } };
}

function azureCase(entry: Vector, recipe: Recipe | null = null): Case {
  const read: ReadFile = (file) => (recipe === null ? readVector(file) : applyRecipe(recipe, file));
  const isSnp = entry.family === 'az-snp-vtpm';
  const hasAk = entry.files.some((file) => file.endsWith('.ak-cert.der'));
  const evidence: Evidence = isSnp
    ? azSnpEvidenceOf(entry, read)
    : { ...azTdxEvidenceOf(entry, read), ak: hasAk ? realAkOf(entry, read) : null };
  const at = new Date((recipe?.op === 'clock' ? recipe.verifyAt : entry.verifyAt) ?? '');
  const endorsements = isSnp ? amdSet() : collateralSet(evidence);
  return {
    evidence,
    nonce: nonceOf(entry),
    judged: { at, endorsements, verifiers: verifiersOf(undefined, { mrtds: MRTDS }) },
  };
}

/** Bare TDs: one with its event log. */
function tdCase(entry: Vector, recipe: Recipe | null = null): Case {
  const read: ReadFile = (file) => (recipe === null ? readVector(file) : applyRecipe(recipe, file));
  const log = entry.files.find((file) => file.endsWith('.ccel-data.bin'));
  const evidence: Evidence = {
    type: 'tdx',
    quote: read(quoteFileOf(entry)),
    runtimeData: null,
    collateral: collateralOf(read(`collateral/${entry.expect.facts.collateral.from}.json`)),
    ccel: log === undefined ? null : read(log),
  };
  const at = new Date((recipe?.op === 'clock' ? recipe.verifyAt : entry.verifyAt) ?? '');
  return { evidence, nonce: null, judged: { at, endorsements: collateralSet(evidence), verifiers: verifiersOf() } };
}

function judgeCase({ evidence, nonce, judged }: Case, policies: readonly Policy[]): Promise<Decision> {
  return judge(evidence, { nonce }, { ...judged, policies });
}

/** What evidence comes to: malformed where it is that. */
async function verdict(given: () => Case, policy: Policy): Promise<string> {
  try {
    const { decision, reasons } = await judgeCase(given(), [policy]);
    return [decision, ...reasons].join(' ');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `malformed ${error.code}`;
  }
}

/** Learns from cases of one time, and runs the test that comes with the policy. */
async function learn(cases: { readonly [name: string]: Case }, from: Policy, output: string | null = null) {
  const names = Object.keys(cases);
  const byName = new Map(Object.entries(cases));
  const learning = new LearnPolicy((request, policies) => {
    const found = byName.get(request.audience ?? '');
    if (found === undefined) throw new Error('no such case');
    return judgeCase(found, policies);
  }, '1.2.3');
  const learned = await learning.execute({
    from: { name: 'from.yaml', policy: from },
    output: output === null ? null : { name: 'learned.yaml', text: output },
    id: null,
    chips: false,
    file: 'learned.yaml',
    accepted: new Set(ACCEPTED),
    // What a request says besides is in its case.
    evidence: names.map((name) => ({ name, request: { audience: name } as never })),
  });
  if (learned.outcome !== 'allow') return { refusals: learned.refusals, policy: from, notes: [] };
  const policy = parsePolicy(learned.text);
  const linted = lintPolicy(learned.text, { at: new Date('2026-06-01T12:00:00Z'), knownAuthorities: () => false });
  expect(linted.filter(({ severity, code }) => severity === 'error' || code === 'launch_only_paravisor')).toEqual([]);
  for (const { name, expect: expected, found } of runCases(learned.test, policy).results) {
    expect([name, found]).toEqual([name, expected]);
  }
  return { refusals: [], policy, notes: learned.notes };
}

const learnedAlone = new Map<string, Promise<Awaited<ReturnType<typeof learn>>>>();

function learnedOf(entry: Vector, from: Policy, make: (entry: Vector) => Case = azureCase) {
  const known = learnedAlone.get(entry.id) ?? learn({ [entry.id]: make(entry) }, from);
  learnedAlone.set(entry.id, known);
  return known;
}

describe.skipIf(!haveVectors)('a policy that is learned from one real Azure VM', () => {
  it.each(AZURE)('of $id allows it, and none of the others', async (entry) => {
    const { policy, refusals, notes } = await learnedOf(entry, FROM);
    expect([refusals, notes]).toEqual([[], []]);
    expect(policy.referenceValues).toHaveLength(1);
    for (const other of AZURE) {
      const found = await verdict(() => azureCase(other), policy);
      expect([other.id, found]).toEqual([other.id, other === entry ? 'allow' : expect.stringMatching(/^deny /)]);
    }
  });

  it.each(haveVectors ? recipes('az-snp-vtpm', 'az-tdx-vtpm') : [])('denies $id $base: $field', async (recipe) => {
    const entry = vector(recipe.base);
    if (!AZURE.some(({ id }) => id === entry.id)) return expect(entry.expect.verdict).toBe('fails');
    const { policy } = await learnedOf(entry, FROM);
    expect(await verdict(() => azureCase(entry, recipe), policy)).toMatch(/^(deny|malformed) /);
  });

  it('is refused for what is denied, and for a nonce in the quote alone', async () => {
    const old = vector('az-tdx-v4-nonpersisted');
    const current = parsePolicy(FROM.text.replace(',"OutOfDate"', ''));
    const { refusals } = await learn({ old: azureCase(old) }, current);
    expect(refusals[0]).toMatch(/^old: tdx_tcb_status: is not allowed by azure \(deny\)/);
  });
});

it.skipIf(!haveVectors)(
  'one policy is widened by machine after machine, each at its own time',
  async () => {
    let text: string | null = null;
    for (const entry of AZURE) text = (await learn({ [entry.id]: azureCase(entry) }, FROM, text)).policy.text;
    const policy = parsePolicy(text ?? '');
    expect([policy.version, policy.referenceValues.length]).toEqual([AZURE.length, AZURE.length]);
    for (const entry of AZURE) expect(await verdict(() => azureCase(entry), policy)).toBe('allow');
    for (const recipe of recipes('az-snp-vtpm', 'az-tdx-vtpm')) {
      const entry = vector(recipe.base);
      if (AZURE.some(({ id }) => id === entry.id)) {
        expect(await verdict(() => azureCase(entry, recipe), policy), recipe.id).toMatch(/^(deny|malformed) /);
      }
    }
  },
  60_000,
);

const AT = new Date('2026-06-01T12:00:00Z');
const NONCE = Buffer.alloc(32, 7);
const PKI = createAzureAkPki({ at: AT });
const machine = await createTrustedLaunchMachine({ pki: PKI });
const ofLab = verifiersOf(undefined, { akRoots: { azure: PKI.pins, configured: new Set(), paravisorsSince: null } });
const LOGS = haveVectors
  ? vectors('tpm-eventlog').filter(({ expect: { facts } }) => facts.log.algs.includes('sha256'))
  : [];
/** Changes a digest of SHA-1, which no quote covers and nothing rests on. */
const OF_ANOTHER_BANK = 'neg-s-251';
const OF_VTPMS = parsePolicy(
  `{ apiVersion: veritee/v1, id: vtpms, version: 1, accepts: [tpm], minimums: any, routes: { hardware: off } }`,
);

/** A machine of the lab whose PCRs are what a real log replays to; it sends that log, or what a recipe makes of it. */
function logCase(entry: Vector, recipe: Recipe | null = null): Case {
  const file = entry.files.find((name) => name.includes('evlog')) ?? '';
  const { events } = parseFirmwareEventLog(readVector(file), 2 ** 20);
  measureInto(machine.vtpm, []);
  for (const [index, value] of replay(events, 'sha256', PCR_LAYOUT).values) machine.vtpm.setPcr('sha256', index, value);
  const log = recipe === null ? readVector(file) : applyRecipe(recipe, file);
  const evidence = machine.evidence({ nonce: NONCE, eventLog: [log] });
  return { evidence, nonce: NONCE, judged: { at: AT, verifiers: ofLab } };
}

describe.skipIf(!haveVectors)('a policy that is learned from an event log', () => {
  it.each(LOGS)('of $id allows that boot, and none of the others', async (entry) => {
    const { policy } = await learnedOf(entry, OF_VTPMS, logCase);
    expect(policy.referenceValues).toMatchObject([
      { tpm: { sha256Pcrs: [], boot: { applications: expect.any(Array) } } },
    ]);
    for (const other of LOGS) {
      const found = await verdict(() => logCase(other), policy);
      expect([other.id, found]).toEqual([other.id, other === entry ? 'allow' : expect.stringMatching(/^deny /)]);
    }
    const { evidence, ...rest } = logCase(entry);
    const without = { ...rest, evidence: { ...evidence, eventLog: null } as Evidence };
    expect(await verdict(() => without, policy)).toBe('deny eventlog_missing');
  });

  const ofLogs = haveVectors ? recipes('tpm-eventlog').filter(({ base }) => LOGS.some(({ id }) => id === base)) : [];

  it.each(ofLogs.filter(({ id }) => id !== OF_ANOTHER_BANK))('denies $id $base: $field', async (recipe) => {
    const entry = vector(recipe.base);
    const { policy } = await learnedOf(entry, OF_VTPMS, logCase);
    expect(await verdict(() => logCase(entry, recipe), policy)).toMatch(/^(deny|malformed) /);
  });
});

const TDS = haveVectors ? ['tdx-v4-with-ccel', 'tdx-v4-gcp-2026'].map(vector) : [];
const OF_TDS = parsePolicy(
  `{ apiVersion: veritee/v1, id: tds, version: 1, accepts: [tdx], minimums: any, freshness: none }`,
);

describe.skipIf(!haveVectors)('a policy that is learned from a real TD', () => {
  it.each(TDS)('of $id allows it, and not the other', async (entry) => {
    const { policy, refusals } = await learnedOf(entry, OF_TDS, tdCase);
    expect(refusals).toEqual([]);
    for (const other of TDS) {
      const found = await verdict(() => tdCase(other), policy);
      expect([other.id, found]).toEqual([other.id, other === entry ? 'allow' : expect.stringMatching(/^deny /)]);
    }
  });

  it.each(haveVectors ? recipes('tdx').filter(({ base }) => TDS.some(({ id }) => id === base)) : [])(
    'denies $id $base: $field',
    async (recipe) => {
      const entry = vector(recipe.base);
      const { policy } = await learnedOf(entry, OF_TDS, tdCase);
      expect(await verdict(() => tdCase(entry, recipe), policy)).toMatch(/^(deny|malformed) /);
    },
  );
});
