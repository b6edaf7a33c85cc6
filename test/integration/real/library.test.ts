import { describe, expect, it } from 'vitest';
import { BUILT_IN_POLICIES, parsePolicy } from '../../../src/library/policy.js';
import type { VerifierOptions } from '../../../src/library/verifier.js';
import { haveVectors, recipes, type Vector, vectors } from '../../vectors.js';
import { byLibrary, byService, verifiersOfService } from '../library/both-ways.js';
import {
  azureCase,
  collateralCase,
  LAB_AK_ROOTS,
  logCase,
  type MakeCase,
  MRTDS,
  releaseCase,
  snpCase,
  tdCase,
  tokenCase,
} from './learning-cases.js';

/** Real evidence, and every mutation of it, by the library and by the service. */

const MAKERS: Readonly<Record<string, MakeCase>> = {
  snp: snpCase,
  tdx: tdCase,
  'az-snp-vtpm': azureCase,
  'az-tdx-vtpm': azureCase,
  collateral: collateralCase,
  'maa-jwt': tokenCase,
  'ita-jwt': tokenCase,
  'akv-policy': releaseCase,
  'tpm-eventlog': logCase,
};

/** These ask for as little as they can. */
const LENIENT = [
  `{ id: hardware, accepts: [snp, tdx, az-snp-vtpm, az-tdx-vtpm], revocation: best-effort, allowDebug: true, paravisor: any,`,
  '{ id: vtpm, accepts: [tpm], routes: { hardware: off },',
  '{ id: tokens, accepts: [maa-token, ita-token], routes: { hardware: off },',
].map((members) => parsePolicy(`${members} apiVersion: veritee/v1, version: 1, minimums: any, freshness: none }`));
const POLICIES = [...LENIENT, ...BUILT_IN_POLICIES];

/** What is listed beside the vendors' own: real paravisors on TDX, the root of the lab's vTPM. */
const LISTED: VerifierOptions = {
  paravisorMrtds: new Set(MRTDS),
  akRoots: LAB_AK_ROOTS,
};
const CONFIGURATION = { azure: { paravisors: { mrtds: MRTDS } } };

const SETTINGS = [
  ["the vendors' own anchors", undefined, verifiersOfService()],
  ['listed ones beside them', LISTED, verifiersOfService(CONFIGURATION, { akRoots: LAB_AK_ROOTS })],
] as const;

function vectorsIn(...families: readonly string[]): readonly Vector[] {
  return haveVectors ? vectors(...families) : [];
}

/** Vectors that evidence is made of: key sets, policies and recordings without a nonce are none. */
function casesOf(entry: Vector) {
  const make = MAKERS[entry.family];
  if (make === undefined) return [];
  const changes = [null, ...recipes(entry.family).filter(({ base }) => base === entry.id)];
  return changes.flatMap((recipe) => {
    try {
      return [make(entry, recipe)];
    } catch {
      return [];
    }
  });
}

const MADE = vectorsIn(...Object.keys(MAKERS))
  .map((entry) => ({ id: entry.id, cases: casesOf(entry) }))
  .filter(({ cases }) => cases.length > 0);

describe.skipIf(!haveVectors)('the library', () => {
  it('is given evidence of each family', () => {
    expect(MADE.length).toBeGreaterThan(35);
  });

  it.each(MADE)(
    'makes the same checks and decisions as the service of $id and each mutation of it',
    async ({ cases }) => {
      for (const [, options, verifiers] of SETTINGS) {
        for (const { evidence, nonce, judged } of cases) {
          const { at, endorsements } = judged;
          const asked = {
            evidence,
            nonce,
            at,
            policies: POLICIES,
            ...(endorsements === undefined ? {} : { endorsements }),
          };
          expect(await byLibrary(asked, options)).toEqual(await byService(asked, verifiers));
        }
      }
    },
  );
});
