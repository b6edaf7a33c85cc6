import { parse } from 'yaml';
import type { Decision } from '../../../src/core/decision.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { VerifyRequest } from '../../../src/core/request.js';
import { appraise, mergeChecks } from '../../../src/policy/appraise/appraise.js';
import { appraiseClaims } from '../../../src/policy/appraise/appraise-claims.js';
import { Asserted } from '../../../src/policy/appraise/asserted.js';
import { decide } from '../../../src/policy/appraise/decide.js';
import { readGivenClaims } from '../../../src/policy/document/given-claims.js';
import { type Policy, parsePolicy, parseStrictYaml } from '../../../src/policy/document/policy-document.js';
import {
  type JudgeUnder,
  LearnPolicy,
  type LearnRequest,
  type NothingLearned,
  type SomethingLearned,
} from '../../../src/workbench/learn-policy.js';
import { policy, type Situation, situation } from '../policy/fixture.js';

/** Learning from claims as a verifier would give them. */

const AT = new Date('2026-06-01T12:00:00Z');

/** Stands for a body: what its evidence comes to, and its digest. */
interface Body extends Situation {
  readonly sha256: string;
}

/** Appraises what stands for a body, as a verified one is. */
export async function judged(request: VerifyRequest, policies: readonly Policy[]): Promise<Decision> {
  const { sha256, ...given } = request as unknown as Body;
  const input = situation(given);
  const appraisals = policies.map((each) => appraise(each, input));
  const { decision, reasons } = decide(appraisals);
  return {
    decision,
    reasons,
    checks: mergeChecks(appraisals),
    claims: input.verification.claims,
    evidence: { type: input.evidenceType, sha256 },
    policies: appraisals.map(({ policy: { id, version }, outcome, matched, unmatched }) => {
      return { id, version, sha256: '', outcome, matched, unmatched };
    }),
    at: AT,
  } as unknown as Decision;
}

export interface Asked extends Partial<Omit<LearnRequest, 'from' | 'evidence' | 'accepted'>> {
  readonly from?: Policy | JsonObject;
  readonly accept?: readonly string[];
  readonly judge?: JudgeUnder;
}

/** Learns from situations by the names of their files. */
export async function learn(files: { readonly [name: string]: Situation }, asked: Asked = {}) {
  const { from = {}, accept = [], judge = judged, ...rest } = asked;
  const evidence = Object.entries(files).map(([name, given]) => {
    const body: Body = { ...given, sha256: Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64) };
    return { name, request: body as unknown as VerifyRequest };
  });
  return new LearnPolicy(judge, '1.2.3').execute({
    output: null,
    id: null,
    chips: false,
    file: 'learned.yaml',
    testBefore: null,
    ...rest,
    from: { name: 'from.yaml', policy: 'sha256' in from ? (from as Policy) : policy(from as JsonObject) },
    evidence,
    accepted: new Set(accept),
  });
}

/** The learned policy, if there is one. */
export async function learned(
  ...given: Parameters<typeof learn>
): Promise<SomethingLearned & { readonly policy: Policy }> {
  const found = await learn(...given);
  if (found.outcome !== 'allow') throw new Error(found.refusals.join('; '));
  return { ...found, policy: parsePolicy(found.text) };
}

/** Why nothing is learned. */
export async function refused(...given: Parameters<typeof learn>): Promise<NothingLearned> {
  const found = await learn(...given);
  if (found.outcome === 'allow') throw new Error('something is learned');
  return found;
}

/** The sets as the policy writes them. */
export function setsOf({ text }: { readonly text: string }): readonly JsonObject[] {
  return (parseStrictYaml(text) as { readonly referenceValues: readonly JsonObject[] }).referenceValues;
}

export function allows(under: Policy, given: Situation): boolean {
  return appraise(under, situation(given)).outcome === 'allow';
}

interface WrittenCase {
  readonly name: string;
  readonly type: never;
  readonly claims: JsonObject;
  readonly set?: JsonObject;
  readonly expect: { readonly outcome: string; readonly reasons?: readonly string[] };
}

/** Runs the cases of a test that was written. Every one has to come to what it expects. */
export function runCases(text: string | null, under: Policy) {
  const { policy: file, cases } = parse(text ?? '') as {
    readonly policy: string;
    readonly cases: readonly WrittenCase[];
  };
  const results = cases.map(({ name, type, claims, set = {}, expect }) => {
    const changed = Object.entries(set).reduce((all, [path, value]) => changedIn(all, path.split('.'), value), claims);
    const read = readGivenClaims(changed);
    if (read.claims === null) throw new Error(`${name}: ${JSON.stringify(read.problems)}`);
    const { outcome, reasons } = appraiseClaims(under, { type, asserted: Asserted.of(read.claims), at: AT });
    const found = { outcome, ...(expect.reasons === undefined ? {} : { reasons }) };
    return { name, expect, found };
  });
  return { file, results, names: cases.map(({ name }) => name) };
}

function changedIn(claims: JsonObject, [name = '', ...rest]: readonly string[], value: unknown): JsonObject {
  if (rest.length === 0) return { ...claims, [name]: value as JsonObject };
  return { ...claims, [name]: changedIn((claims[name] ?? {}) as JsonObject, rest, value) };
}
