import type { SnpProduct } from '../../model/claims.js';

/**
 * SHA-256 of the SubjectPublicKeyInfo of AMD's root keys (ARK), by product line. Roots are pinned by key, not
 * carried: their certificates come with the evidence or from a source, and count only where they fit a pin.
 * The same values stand in the independent verifiers of Google, VirTEE and the Confidential Containers project.
 */
export const AMD_ROOT_PINS: ReadonlyMap<SnpProduct, ReadonlySet<string>> = new Map([
  ['Milan', new Set(['9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9'])],
  ['Genoa', new Set(['429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831'])],
  ['Turin', new Set(['4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08'])],
]);

/** Pins by product line. Others than AMD's own are only ever given by a test. */
export type AmdRootPins = typeof AMD_ROOT_PINS;
