import { FormatError } from '../../../core/errors.js';
import {
  type CollateralMembers,
  type RatedLevel,
  readCollateralText,
  readRating,
  readSvnLevels,
  type SvnLevel,
} from './collateral-json.js';

/** TCB info of a kind of TDX platform (Intel PCS v4, TCB info v3, id TDX). Not verified. */
export interface TcbInfo {
  readonly issueDate: Date;
  readonly nextUpdate: Date;
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  readonly evaluationDataNumber: number;
  /** For modules whose TEE_TCB_SVN[1] is 0. */
  readonly tdxModule: TdxModuleRule;
  /** TDX module identities by id in upper case: `TDX_` and two hex digits of TEE_TCB_SVN[1]. */
  readonly tdxModuleIdentities: ReadonlyMap<string, TdxModuleIdentity>;
  /** The highest first: SGX components, then PCESVN, then TDX components. At least one. */
  readonly levels: readonly TcbLevel[];
}

export interface TdxModuleRule {
  readonly mrSigner: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

export interface TdxModuleIdentity extends TdxModuleRule {
  /** The highest ISVSVN first. At least one. */
  readonly levels: readonly SvnLevel[];
}

export interface TcbLevel extends RatedLevel {
  /** 16 components. */
  readonly sgxComponents: readonly TcbComponent[];
  readonly pceSvn: number;
  readonly tdxComponents: readonly TcbComponent[];
}

export interface TcbComponent {
  readonly svn: number;
  /** The type of the component; null if the collateral does not state it. */
  readonly type: string | null;
}

const COMPONENTS = 16;
/** The only supported version. Another one can have a different layout or other ratings. */
const VERSION = 3;

/**
 * Reads the text of a TCB info.
 *
 * @param text the exact signed text
 * @throws {FormatError} `schema`, `duplicate_key` and the others of `parseStrictJson`
 */
export function parseTcbInfo(text: string): TcbInfo {
  const info = readCollateralText(text, 'TCB info');
  if (info.text('id') !== 'TDX') throw new FormatError('schema', 'TCB info is not of TDX');
  const version = info.integer('version', 0xffff);
  if (version !== VERSION) throw new FormatError('schema', `TCB info is of version ${version}, not 3`);
  return {
    issueDate: info.instant('issueDate'),
    nextUpdate: info.instant('nextUpdate'),
    fmspc: info.hex('fmspc', 6),
    pceId: info.hex('pceId', 2),
    evaluationDataNumber: info.integer('tcbEvaluationDataNumber', 0xffff_ffff),
    tdxModule: readModuleRule(info.object('tdxModule')),
    tdxModuleIdentities: readModuleIdentities(info),
    levels: info.levels('tcbLevels').map(readLevel).sort(highestFirst),
  };
}

function readModuleRule(members: CollateralMembers): TdxModuleRule {
  return {
    mrSigner: members.hex('mrsigner', 48),
    attributes: members.hex('attributes', 8),
    attributesMask: members.hex('attributesMask', 8),
  };
}

/** Reads the module identities. Older collateral has no such member. */
function readModuleIdentities(info: CollateralMembers): ReadonlyMap<string, TdxModuleIdentity> {
  const identities = new Map<string, TdxModuleIdentity>();
  if (!info.has('tdxModuleIdentities')) return identities;
  for (const identity of info.objects('tdxModuleIdentities')) {
    const id = identity.text('id').toUpperCase();
    if (identities.has(id)) throw new FormatError('schema', 'two module identities have the same id');
    identities.set(id, { ...readModuleRule(identity), levels: readSvnLevels(identity) });
  }
  return identities;
}

function readLevel(level: CollateralMembers): TcbLevel {
  const tcb = level.object('tcb');
  return {
    sgxComponents: readComponents(tcb, 'sgxtcbcomponents'),
    pceSvn: tcb.integer('pcesvn', 0xffff),
    tdxComponents: readComponents(tcb, 'tdxtcbcomponents'),
    ...readRating(level),
  };
}

function readComponents(tcb: CollateralMembers, name: string): readonly TcbComponent[] {
  const components = tcb.objects(name).map((component) => ({
    svn: component.integer('svn', 0xff),
    type: component.has('type') ? component.text('type') : null,
  }));
  if (components.length !== COMPONENTS) throw new FormatError('schema', `${name} does not have 16 items`);
  return components;
}

function highestFirst(a: TcbLevel, b: TcbLevel): number {
  return (
    compareComponents(b.sgxComponents, a.sgxComponents) ||
    b.pceSvn - a.pceSvn ||
    compareComponents(b.tdxComponents, a.tdxComponents)
  );
}

/** Compares lexicographically: the first different component decides. */
function compareComponents(a: readonly TcbComponent[], b: readonly TcbComponent[]): number {
  const differences = a.map(({ svn }, index) => svn - (b[index]?.svn ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}
