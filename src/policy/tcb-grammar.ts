import { SNP_PARTS, SNP_TCB_COMPONENTS, type SnpPart } from '../model/claims.js';
import type { SnpMinimums, TcbFloor } from './policy-members.js';
import { integerFrom, type Reader, someOf } from './readers.js';

const COMPONENTS_BEFORE_TURIN = SNP_TCB_COMPONENTS.filter((component) => component !== 'fmc');

/** Floors by part. */
export const readSnpMinimums: Reader<Exclude<SnpMinimums, 'any'>> = someOf(SNP_PARTS, tcbFloorOf);

/** A floor with the components that a part has. FMC came with Turin (AMD 56860, TCB_VERSION). */
export function tcbFloorOf(part: SnpPart): Reader<TcbFloor> {
  const components = part === 'Turin' || part === 'Turin-Dense' ? SNP_TCB_COMPONENTS : COMPONENTS_BEFORE_TURIN;
  return someOf(components, () => integerFrom(0, 255));
}
