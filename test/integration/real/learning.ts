import { expect } from 'vitest';
import type { Decision } from '../../../src/core/decision.js';
import { ConfigurationError, FormatError } from '../../../src/core/errors.js';
import { type Policy, parsePolicy } from '../../../src/policy/document/policy-document.js';
import { lintPolicy } from '../../../src/policy/lint/lint.js';
import { LearnPolicy, type LearnRequest } from '../../../src/workbench/learn-policy.js';
import { judge } from '../../judge.js';
import { runCases } from '../../unit/judge/learn-fixture.js';
import type { Vector } from '../../vectors.js';
import { type Case, LAB_TIME, type MakeCase, MRTDS, SERVICE_TDS } from './learning-cases.js';

/** Learning from real evidence, and what a learned policy says of other evidence. */

const ACCEPTED = ['nonce_stale', 'nonce_missing'];

function policyFrom(members: object): Policy {
  return parsePolicy(JSON.stringify({ apiVersion: 'veritee/v1', version: 1, minimums: 'any', ...members }));
}

/** Names the MRTDs, as the configuration does. The older of the two TDs is out of date. */
export const OF_AZURE = policyFrom({
  id: 'azure',
  version: 4,
  accepts: ['az-snp-vtpm', 'az-tdx-vtpm'],
  secureBoot: 'required',
  minimums: { snp: { Milan: { snp: 24, microcode: 219 } }, tdx: { acceptedStatuses: ['UpToDate', 'OutOfDate'] } },
  require: { tpm: { quotedPcrs: [0, 1, 2, 3, 4, 5, 6, 7] } },
  referenceValues: [...(MRTDS.length > 0 ? [{ tdx: { mrtd: MRTDS } }] : []), { snp: { vmpl: [0] } }],
});
const OF_MILAN = policyFrom({ id: 'guests', accepts: ['snp'], revocation: 'required' });
const OF_GENOA = policyFrom({ id: 'guests', accepts: ['snp'], revocation: 'best-effort' });

/** AMD's CRL of Milan is at hand; that of Genoa ends before the time of the reports. */
export function policyOfGuest({ id }: Vector): Policy {
  return id.startsWith('snp-genoa-') ? OF_GENOA : OF_MILAN;
}

/** Some quotes have no nonce in them, and one has a service TD. */
export const OF_TDS = policyFrom({
  id: 'tds',
  accepts: ['tdx'],
  freshness: 'none',
  ...(SERVICE_TDS.length > 0 ? { require: { tdx: { mrServiceTd: SERVICE_TDS } } } : {}),
});
export const OF_VTPMS = policyFrom({ id: 'vtpms', accepts: ['tpm'], routes: { hardware: 'off' } });
export const OF_MAA = policyFrom({
  id: 'maa',
  accepts: ['maa-token'],
  freshness: 'none',
  routes: { hardware: 'off', maa: 'required' },
  require: { maa: { complianceStatus: ['azure-compliant-cvm'] } },
});
export const OF_ITA = policyFrom({
  id: 'ita',
  accepts: ['ita-token'],
  freshness: 'none',
  routes: { hardware: 'off', ita: 'required' },
});

function decideCase({ evidence, nonce, judged }: Case, policies: readonly Policy[]): Promise<Decision> {
  return judge(evidence, { nonce }, { ...judged, policies });
}

/** The outcome of evidence: malformed, or a decision. */
export async function verdict(given: () => Case, policy: Policy): Promise<string> {
  try {
    const { decision, reasons } = await decideCase(given(), [policy]);
    return [decision, ...reasons].join(' ');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `malformed ${error.code}`;
  }
}

export interface Learned {
  /** `file: code: …`, each; then `policy` is that which the evidence was judged by. */
  readonly refusals: readonly string[];
  readonly policy: Policy;
  readonly notes: readonly string[];
}

/** Learns from cases of one time, and runs the test that comes with the policy. */
export async function learn(
  cases: { readonly [name: string]: Case },
  from: Policy,
  output: string | null = null,
): Promise<Learned> {
  const names = Object.keys(cases);
  const byName = new Map(Object.entries(cases));
  const learning = new LearnPolicy((request, policies) => {
    const found = byName.get(request.audience ?? '');
    if (found === undefined) throw new Error('no such case');
    return decideCase(found, policies);
  }, '1.2.3');
  const asked: LearnRequest = {
    from: { name: 'from.yaml', policy: from },
    output: output === null ? null : { name: 'learned.yaml', text: output },
    id: null,
    chips: false,
    file: 'learned.yaml',
    testBefore: null,
    accepted: new Set(ACCEPTED),
    // The rest of a request is in its case.
    evidence: names.map((name) => ({ name, request: { audience: name } as never })),
  };
  const learned = await learning.execute(asked).catch(malformed);
  if (learned.outcome !== 'allow') return { refusals: learned.refusals, policy: from, notes: [] };
  const policy = parsePolicy(learned.text);
  const linted = lintPolicy(learned.text, { at: LAB_TIME, knownAuthorities: () => false, manyIssuers: [] });
  expect(linted.filter(({ severity, code }) => severity === 'error' || code === 'launch_only_paravisor')).toEqual([]);
  for (const { name, expect: expected, found } of runCases(learned.test, policy).results) {
    expect([name, found]).toEqual([name, expected]);
  }
  return { refusals: [], policy, notes: learned.notes };
}

/** Evidence that is malformed is refused too. */
function malformed(error: unknown): { readonly outcome: 'deny'; readonly refusals: readonly string[] } {
  if (!(error instanceof ConfigurationError)) throw error;
  return { outcome: 'deny', refusals: error.problems };
}

const learnedAlone = new Map<string, Promise<Learned>>();

/** The policy that is learned from one vector, made once. */
export function learnedOf(entry: Vector, from: Policy, make: MakeCase): Promise<Learned> {
  const known = learnedAlone.get(entry.id) ?? learn({ [entry.id]: make(entry) }, from);
  learnedAlone.set(entry.id, known);
  return known;
}
