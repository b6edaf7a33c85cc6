import type { ParavisorFloors } from '../shared/paravisor/paravisor-claims.js';

/**
 * ID_KEY_DIGESTs of Microsoft's paravisor, each with the lowest GUEST_SVN of current machines. Machines with an older
 * paravisor run until they restart. An operator of such machines lowers the floor (`azure.paravisors.idKeyDigests`).
 */
const KNOWN_PARAVISORS: ParavisorFloors = new Map([
  // Milan, and Genoa with version 2 of the paravisor's report: 10 to 12 from December 2025 to July 2026.
  ['942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177', 10],
  // Genoa: 9 in June 2025.
  ['0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca491ecdd7f336dc28a6e0b2bb57af7a44a3', 9],
]);

/** An ID_KEY_DIGEST that the operator lists, alone or with its floor. */
export type ListedParavisor = string | { readonly digest: string; readonly minGuestSvn: number };

/** Merges the built-in paravisors with those of the operator. Only an explicit floor replaces a built-in floor. */
export function paravisorFloors(listed: readonly ListedParavisor[]): ParavisorFloors {
  const floors = new Map(KNOWN_PARAVISORS);
  for (const entry of listed) {
    if (typeof entry !== 'string') floors.set(entry.digest, entry.minGuestSvn);
    else if (!floors.has(entry)) floors.set(entry, 0);
  }
  return floors;
}
