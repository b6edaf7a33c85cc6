/**
 * ID_KEY_DIGEST of Microsoft's paravisor of 2024 and later, on Milan and Genoa. Microsoft calls it stable for about a
 * year; the configuration adds others (`azure.paravisors.idKeyDigests`).
 */
export const KNOWN_PARAVISOR_ID_KEY_DIGESTS: readonly string[] = [
  '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177',
];
