import type { SnpPart } from '../../core/claims.js';
import type { TcbFloor } from '../document/policy-grammar.js';

/** The first firmware of each part without the flaw in microcode signature verification (AMD-SB-3019). */
export const PUBLISHED_FLOORS: ReadonlyMap<SnpPart, TcbFloor> = new Map(
  Object.entries({
    Milan: { snp: 24, microcode: 219 },
    'Milan-X': { snp: 24, microcode: 68 },
    Genoa: { snp: 23, microcode: 84 },
    'Genoa-X': { snp: 23, microcode: 79 },
    'Bergamo-Siena': { snp: 23, microcode: 25 },
    Turin: { microcode: 71 },
    'Turin-Dense': { microcode: 71 },
  }),
);
