import { describe, expect, it } from 'vitest';
import type { EvidenceType } from '../../../src/core/evidence.js';
import { isHardwareType } from '../../../src/core/evidence-traits.js';
import type { JsonObject } from '../../../src/core/json.js';
import { POLICY_SCHEMA } from '../../../src/policy/document/policy-grammar.js';
import { PolicyError } from '../../../src/policy/document/policy-problem.js';
import { CHECK_IDS, CHECKS } from '../../../src/tee/catalogue.js';
import { appraised, policy, type Situation } from './fixture.js';
import { membersOf } from './grammar-members.js';
import { EVERY_TYPE, genuine, leastOf, MEMBER_FLIPS, type MemberFlip } from './member-flips.js';
import { WAIVER_SITUATIONS } from './waiver-situations.js';

/** Says which policy it is, or who tolerates something: shown, never judged. */
const METADATA = ['apiVersion', 'id', 'version', 'description', 'rules[].id', 'waivers[].reason', 'waivers[].approver'];

/** Does not load with anything in it, or with any other value than the one that the type needs. */
const NOTHING_ELSE_LOADS = [
  'routes.hardware',
  'referenceValues[].tpm.pcrs.sha256.16',
  'referenceValues[].tpm.pcrs.sha256.23',
];

function outcomeOf(type: EvidenceType, members: JsonObject, given: Situation) {
  return appraised({ ...leastOf(type), ...members }, { ...given, type }).outcome;
}

function codesAtLoad(type: EvidenceType, members: JsonObject): readonly string[] {
  try {
    policy({ ...leastOf(type), ...members });
  } catch (error) {
    if (error instanceof PolicyError) return error.policyProblems.map(({ code }) => code);
    throw error;
  }
  return [];
}

const CASES = MEMBER_FLIPS.flatMap((flip) => flip.types.map((type) => [flip.member, type, flip] as const));

/** Members whose flips do not say for which types they are: the minimums of a TEE that is not accepted do no harm. */
const isJudgedByType = ({ member }: MemberFlip) => !member.startsWith('minimums.') && member !== 'accepts';

/** Each member with the types that no flip of it is about. */
const OTHERS = [...new Set(MEMBER_FLIPS.filter(isJudgedByType).map(({ member }) => member))].flatMap((member) => {
  const flips = MEMBER_FLIPS.filter((flip) => flip.member === member);
  const covered = new Set(flips.flatMap(({ types }) => types));
  const [first] = flips;
  return first === undefined
    ? []
    : EVERY_TYPE.filter((type) => !covered.has(type)).map((type) => [member, type, first] as const);
});

/** A route that the evidence itself is the token of, or that no policy for its type loads with. */
const isOwnRoute = (member: string, type: EvidenceType) =>
  (member === 'routes.maa' && type === 'maa-token') ||
  (member === 'routes.ita' && type === 'ita-token') ||
  (member.startsWith('routes.') && type === 'tpm');

describe('every member of a policy', () => {
  it('DEC-13 has evidence on which the decision flips with it', () => {
    const shown = new Set(MEMBER_FLIPS.map(({ member }) => member));
    const listed = [...METADATA, ...NOTHING_ELSE_LOADS];
    const read = membersOf(POLICY_SCHEMA);
    expect(read.length).toBeGreaterThan(100);
    expect(read.filter((member) => !shown.has(member) && !listed.includes(member))).toEqual([]);
    expect([...shown, ...listed].filter((member) => !read.includes(member))).toEqual([]);
  });

  it.each(CASES)('DEC-13 decides: %s of %s', (_member, type, { on, off, given }) => {
    const outcomes = [outcomeOf(type, off, given(type)), outcomeOf(type, on, given(type))];
    expect(new Set(outcomes).size).toBe(2);
    expect(outcomes).toContain('allow');
  });

  it.each(OTHERS.filter(([member, type]) => !isOwnRoute(member, type)))(
    'DEC-13 does not load where nothing consults it: %s of %s',
    (_member, type, { on }) => {
      const { routes: _, ...members } = on;
      expect(codesAtLoad(type, members)).not.toEqual([]);
    },
  );

  it('DEC-13 twin: a required route is the evidence where the evidence is its token', () => {
    for (const [type, route] of [
      ['maa-token', 'maa'],
      ['ita-token', 'ita'],
    ] as const) {
      const members = { routes: { hardware: 'off', [route]: 'required' } };
      expect(outcomeOf(type, members, genuine(type))).toBe('allow');
      expect(outcomeOf(type, members, { ...genuine(type), results: new Map() })).toBe('deny');
    }
  });

  it('DEC-12, DEC-13 has the hardware route that its types need, and no other', () => {
    for (const type of EVERY_TYPE) {
      const wrong = isHardwareType(type) ? 'off' : 'required';
      expect(codesAtLoad(type, { routes: { hardware: wrong } })).toHaveLength(1);
    }
  });

  it('DEC-13 has no route on for a vTPM by itself, whose evidence no token can be compared with', () => {
    for (const route of ['maa', 'ita']) {
      for (const wanted of ['required', 'optional']) {
        const routes = { hardware: 'off', [route]: wanted };
        expect(codesAtLoad('tpm', { routes })).toEqual(['policy_member_unused']);
      }
    }
  });
});

describe('every check that a waiver can name', () => {
  const TERMS = { reason: 'planned', approver: 'ops', expires: '2027-01-01' };

  it('DEC-13 has evidence on which a waiver of it changes the check', () => {
    const waivable = CHECK_IDS.filter((id) => CHECKS[id].waiver !== undefined);
    expect([...new Set(WAIVER_SITUATIONS.map(({ check }) => check))].sort()).toEqual(waivable.sort());
  });

  it.each(WAIVER_SITUATIONS.flatMap((one) => EVERY_TYPE.map((type) => [one.check, type, one] as const)))(
    'DEC-13 covers something, or does not load: %s of %s',
    (id, type, { value, types, members, given }) => {
      const waiver = { ...TERMS, check: id, ...(value === undefined ? {} : { value }) };
      const waiving = { ...members(type), waivers: [waiver] };
      if (!types.includes(type)) {
        expect(codesAtLoad(type, waiving)).not.toEqual([]);
        return;
      }
      const marks = (of: JsonObject) =>
        appraised({ ...leastOf(type), ...of }, { ...given(type), type })
          .checks.filter((found) => found.id === id)
          .map(({ waived }) => waived);
      expect(marks(members(type))).not.toContain(true);
      expect(marks(waiving)).toContain(true);
    },
  );
});
