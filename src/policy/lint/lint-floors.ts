import { SNP_TCB_COMPONENTS, type SnpPart } from '../../core/claims.js';
import type { Policy } from '../document/policy-document.js';
import type { TcbFloor } from '../document/policy-grammar.js';
import type { PolicyProblem } from '../document/policy-problem.js';
import { scopeOf } from '../document/policy-scope.js';
import { PUBLISHED_FLOORS } from './published-floors.js';

/** Reports minimums for SEV-SNP below the first firmware without a published flaw. */
export function lintFloors(policy: Policy): readonly PolicyProblem[] {
  const { snp } = policy.minimums;
  if (!scopeOf(policy).snp || snp === null) return [];
  if (snp === 'any') {
    return [
      { code: 'snp_floor_low', pointer: '/minimums/snp', message: 'any accepts firmware with every published flaw' },
    ];
  }
  return Object.entries(snp).flatMap(([part, floor]) => lintFloor(part, floor ?? {}));
}

function lintFloor(part: SnpPart, floor: TcbFloor): readonly PolicyProblem[] {
  return SNP_TCB_COMPONENTS.flatMap((component): readonly PolicyProblem[] => {
    const published = PUBLISHED_FLOORS.get(part)?.[component];
    const own = floor[component];
    if (published === undefined || (own !== undefined && own >= published)) return [];
    const is = own === undefined ? 'is not compared' : `is ${own}`;
    const message = `${component} of ${part} ${is}: below ${published}, microcode signatures are not checked soundly (AMD-SB-3019)`;
    return [{ code: 'snp_floor_low', pointer: `/minimums/snp/${part}`, message }];
  });
}
