import { type AmdLines, lineOfPart } from '../core/amd-lines.js';
import type { SnpPart } from '../core/claims.js';
import { jsonPointer } from '../core/json.js';
import { meantHint } from '../core/names-in-messages.js';
import { textsComparedWith } from './cel/compared-texts.js';
import type { PolicyMembers, TcbFloor } from './document/policy-grammar.js';
import { type PolicyProblem, schemaProblem } from './document/policy-problem.js';
import type { Rule } from './document/rule.js';

type RuledMembers = Pick<PolicyMembers, 'minimums' | 'referenceValues' | 'waivers'> & {
  readonly rules: readonly Rule[];
};

/** The claim `part` if no part has the model and stepping. */
const UNKNOWN_PART = 'unknown';

/**
 * Reports unknown product lines and parts in a policy, and floors for a component that the line of a part does not
 * have.
 */
export function lineProblems(policy: RuledMembers, lines: AmdLines): readonly PolicyProblem[] {
  const { minimums, referenceValues, waivers } = policy;
  const floors = Object.entries(minimums.snp === 'any' ? {} : (minimums.snp ?? {}));
  return [
    ...floors.flatMap(([part, floor]) => partProblems(part, floor, jsonPointer(['minimums', 'snp', part]), lines)),
    ...referenceValues.flatMap(({ appliesTo: { product } }, index) =>
      product === null ? [] : productProblems(product, `/referenceValues/${index}/appliesTo/product`, lines),
    ),
    ...waivers.flatMap((waiver, index) =>
      waiver.check === 'snp_tcb_low'
        ? partProblems(waiver.value.part, waiver.value.floor, `/waivers/${index}/value`, lines)
        : [],
    ),
    ...ruleProblems(policy, lines),
  ];
}

function ruleProblems({ rules }: RuledMembers, lines: AmdLines): readonly PolicyProblem[] {
  return rules.flatMap((rule, index) => {
    if (rule.language !== 'cel') return [];
    const pointer = `/rules/${index}/cel`;
    const parts = textsComparedWith('snp.part', rule.expression).filter((part) => part !== UNKNOWN_PART);
    return [
      ...textsComparedWith('snp.product', rule.expression).flatMap((name) => productProblems(name, pointer, lines)),
      ...parts.flatMap((part) => partProblems(part, {}, pointer, lines)),
    ];
  });
}

function productProblems(product: string, pointer: string, lines: AmdLines): readonly PolicyProblem[] {
  return lines.has(product) ? [] : [notThere('product line', product, pointer, [...lines.keys()])];
}

function partProblems(
  part: SnpPart,
  floor: TcbFloor | undefined,
  pointer: string,
  lines: AmdLines,
): readonly PolicyProblem[] {
  const line = lineOfPart(part, lines);
  if (line === null) {
    const parts = [...lines.values()].flatMap((each) => each.parts.map((own) => own.part));
    return [notThere('part', part, pointer, parts)];
  }
  if (floor?.fmc === undefined || line.layout === 'turin') return [];
  return [schemaProblem(pointer, `has a floor for fmc, and TCB versions of ${line.product} have no such component`)];
}

function notThere(kind: string, name: string, pointer: string, known: readonly string[]): PolicyProblem {
  return {
    ...schemaProblem(
      pointer,
      `there is no ${kind} ${name}, neither built in nor in amd.products${meantHint(name, known)}`,
    ),
    remedy: 'Correct the name, or add the product line to amd.products of the configuration.',
  };
}
