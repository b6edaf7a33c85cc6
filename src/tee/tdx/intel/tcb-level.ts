import type { TcbShortfall } from '../../../core/tcb-shortfall.js';
import type { PckExtension } from './pck-extension.js';
import type { TcbInfo, TcbLevel } from './tcb-info.js';

/** SVNs that a platform shows: by its PCK certificate, and by its quote. */
export interface PlatformSvns {
  readonly pck: Pick<PckExtension, 'sgxTcbComponents' | 'pceSvn'>;
  readonly teeTcbSvn: Uint8Array;
}

/**
 * The first level, highest first, that the platform reaches in every component; null: none (Intel PCS v4, TDX TCB
 * Info, step 3).
 */
export function levelOf({ levels }: TcbInfo, svns: PlatformSvns): TcbLevel | null {
  return levels.find((level) => shortfallsTo(level, svns).length === 0) ?? null;
}

/** The first level that the PCK certificate reaches, whatever the TDX components. */
export function sgxLevelOf({ levels }: TcbInfo, { pck }: PlatformSvns): TcbLevel | null {
  return levels.find((level) => sgxShortfalls(level, pck).length === 0) ?? null;
}

/**
 * The components behind the nearest level. The nearest level is the one that the fewest components are below; if a status
 * is given, only levels with that status count.
 */
export function nearestShortfalls({ levels }: TcbInfo, svns: PlatformSvns, status?: string): readonly TcbShortfall[] {
  const wanted = levels.filter(({ tcbStatus }) => status === undefined || tcbStatus === status);
  const each = wanted.map((level) => shortfallsTo(level, svns));
  // Among equally near levels the lowest counts, which comes last.
  return (
    each.reduce<readonly TcbShortfall[] | null>(
      (best, next) => (best === null || next.length <= best.length ? next : best),
      null,
    ) ?? []
  );
}

function shortfallsTo(level: TcbLevel, { pck, teeTcbSvn }: PlatformSvns): readonly TcbShortfall[] {
  return [...sgxShortfalls(level, pck), ...tdxShortfalls(level, teeTcbSvn)];
}

function sgxShortfalls(level: TcbLevel, pck: PlatformSvns['pck']): readonly TcbShortfall[] {
  const components = level.sgxComponents.flatMap(({ svn, type }, index) =>
    behind(`sgxtcbcomponents[${index}]`, pck.sgxTcbComponents[index] ?? 0, svn, type),
  );
  return [...components, ...behind('pcesvn', pck.pceSvn, level.pceSvn)];
}

/**
 * Where TEE_TCB_SVN[1] is not 0, the first two components are the SVN of the module and its major version, and the
 * module's identity is what judges them.
 */
function tdxShortfalls(level: TcbLevel, teeTcbSvn: Uint8Array): readonly TcbShortfall[] {
  const first = (teeTcbSvn[1] ?? 0) > 0 ? 2 : 0;
  return level.tdxComponents.flatMap(({ svn, type }, index) =>
    index < first ? [] : behind(`tdxtcbcomponents[${index}]`, teeTcbSvn[index] ?? 0, svn, type),
  );
}

/** One where a component is behind; none where it is not. */
export function behind(
  component: string,
  have: number,
  need: number,
  type: string | null = null,
): readonly TcbShortfall[] {
  return have < need ? [{ component, have, need, type }] : [];
}
