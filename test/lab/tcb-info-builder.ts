import type { JsonObject } from '../../src/core/json.js';
import { type SignedDocumentMaking, windowOf } from './signed-document.js';

/** The subject of the levels. */
export interface TcbSubject {
  /** 6 and 2 bytes, hex. */
  readonly fmspc: string;
  readonly pceId: string;
  readonly sgxSvns: readonly number[];
  readonly pceSvn: number;
  readonly teeTcbSvn: Uint8Array;
}

/** The content of every level beside its SVNs; by default up to date, without advisories. */
interface LevelVerdict {
  readonly status?: string;
  /** RFC 3339. */
  readonly date?: string;
  readonly advisories?: readonly string[];
}

/** A level of a TDX module or of the quoting enclave. */
export interface IsvLevelFields extends LevelVerdict {
  readonly isvSvn: number;
}

/** A level of a platform. */
export interface TcbLevelFields extends LevelVerdict {
  readonly sgxSvns: readonly number[];
  readonly pceSvn: number;
  readonly tdxSvns: readonly number[];
}

export interface ModuleIdentityFields {
  /** `TDX_` and the major version of the module, two hex digits. */
  readonly id: string;
  /** 48 bytes; zero if left out. */
  readonly mrSigner?: Uint8Array;
  /** 8 bytes each: attributes zero, the mask all ones, if left out. */
  readonly attributes?: Uint8Array;
  readonly attributesMask?: Uint8Array;
  readonly levels: readonly IsvLevelFields[];
}

export interface TcbInfoMaking extends SignedDocumentMaking, LevelVerdict {
  /** All platform levels, in this order. `status`, `date` and `advisories` are those of the genuine first one. */
  readonly levels?: readonly TcbLevelFields[];
  /** Status of the level that the platform's module meets. */
  readonly moduleStatus?: string;
  /** All levels of the platform's module. */
  readonly moduleLevels?: readonly IsvLevelFields[];
  /** All module identities. */
  readonly modules?: readonly ModuleIdentityFields[];
}

/** tcbEvaluationDataNumber of all that says no other. */
export const EVALUATION_NUMBER = 19;

const CURRENT_DATE = '2025-05-14T00:00:00Z';
const OLD = {
  status: 'OutOfDate',
  date: '2024-03-13T00:00:00Z',
  advisories: ['INTEL-SA-01036', 'INTEL-SA-01099'],
} as const;

/** TCB info of TDX, version 3, members in Intel's order. */
export function tcbInfoMembers(subject: TcbSubject, at: Date, making: TcbInfoMaking): JsonObject {
  return {
    id: 'TDX',
    version: 3,
    ...windowOf(making, at),
    fmspc: subject.fmspc.toUpperCase(),
    pceId: subject.pceId.toUpperCase(),
    tcbType: 0,
    tcbEvaluationDataNumber: making.evaluationNumber ?? EVALUATION_NUMBER,
    tdxModule: moduleMembers({}),
    tdxModuleIdentities: (making.modules ?? genuineModules(subject, making)).map(moduleIdentity),
    tcbLevels: (making.levels ?? genuineTcbLevels(subject, making)).map(tcbLevel),
  };
}

/** The level that the platform just meets, and one that it is above. */
export function genuineTcbLevels(subject: TcbSubject, verdict: LevelVerdict = {}): readonly TcbLevelFields[] {
  const { sgxSvns, pceSvn, teeTcbSvn } = subject;
  const [moduleSvn = 0, moduleMajor = 0, ...others] = teeTcbSvn;
  // If the module has its own levels, the first two are not compared: Intel names an older module here.
  const tdxSvns = [moduleMajor === 0 ? moduleSvn : Math.max(0, moduleSvn - 1), 0, ...others];
  const { status, date, advisories } = verdict;
  const current = { sgxSvns, pceSvn, tdxSvns };
  const lower = (svn: number) => Math.max(0, svn - 1);
  return [
    {
      ...current,
      ...(status === undefined ? {} : { status }),
      ...(date === undefined ? {} : { date }),
      ...(advisories === undefined ? {} : { advisories }),
    },
    { sgxSvns: sgxSvns.map(lower), pceSvn: lower(pceSvn), tdxSvns: tdxSvns.map(lower), ...OLD },
  ];
}

/** `TDX_01` and the like; null if the module has no identity, which is major version 0. */
export function moduleIdOf(teeTcbSvn: Uint8Array): string | null {
  const [, major = 0] = teeTcbSvn;
  return major === 0 ? null : `TDX_${major.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** A level of a module or of the quoting enclave, as JSON has it. */
export function isvLevel({ isvSvn, ...verdict }: IsvLevelFields): JsonObject {
  return { tcb: { isvsvn: isvSvn }, ...verdictMembers(verdict) };
}

/** A level of a platform, as JSON has it. */
export function tcbLevel({ sgxSvns, pceSvn, tdxSvns, ...verdict }: TcbLevelFields): JsonObject {
  const tcb = {
    sgxtcbcomponents: sgxSvns.map((svn, index) => ({ svn, ...SGX_COMPONENTS.get(index) })),
    pcesvn: pceSvn,
    tdxtcbcomponents: tdxSvns.map((svn, index) => ({ svn, ...TDX_COMPONENTS.get(index) })),
  };
  return { tcb, ...verdictMembers(verdict) };
}

/** An identity of a module, as JSON has it. */
export function moduleIdentity({ id, levels, ...fields }: ModuleIdentityFields): JsonObject {
  return { id, ...moduleMembers(fields), tcbLevels: levels.map(isvLevel) };
}

function genuineModules(subject: TcbSubject, making: TcbInfoMaking): readonly ModuleIdentityFields[] {
  const own = moduleIdOf(subject.teeTcbSvn);
  const [svn = 0] = subject.teeTcbSvn;
  const { moduleStatus: status } = making;
  const current: IsvLevelFields = { isvSvn: svn, ...(status === undefined ? {} : { status }) };
  const levels = making.moduleLevels ?? [current, { isvSvn: Math.max(0, svn - 2), ...OLD }];
  const others: readonly ModuleIdentityFields[] = [
    { id: 'TDX_03', levels: [{ isvSvn: 3 }] },
    { id: 'TDX_01', levels: [{ isvSvn: 6 }] },
  ];
  return [...others.filter(({ id }) => id !== own), ...(own === null ? [] : [{ id: own, levels }])];
}

function moduleMembers(fields: Omit<ModuleIdentityFields, 'id' | 'levels'>): JsonObject {
  return {
    mrsigner: upperHex(fields.mrSigner ?? new Uint8Array(48)),
    attributes: upperHex(fields.attributes ?? new Uint8Array(8)),
    attributesMask: upperHex(fields.attributesMask ?? new Uint8Array(8).fill(0xff)),
  };
}

function verdictMembers({ status = 'UpToDate', date = CURRENT_DATE, advisories = [] }: LevelVerdict): JsonObject {
  const named = advisories.length === 0 ? {} : { advisoryIDs: [...advisories] };
  return { tcbDate: date, tcbStatus: status, ...named };
}

function upperHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

/** Intel's names of the components that have one. */
const SGX_COMPONENTS: ReadonlyMap<number, JsonObject> = new Map([
  [0, { category: 'BIOS', type: 'Early Microcode Update' }],
  [1, { category: 'OS/VMM', type: 'SGX Late Microcode Update' }],
  [2, { category: 'OS/VMM', type: 'TXT SINIT' }],
  [3, { category: 'BIOS' }],
  [4, { category: 'BIOS' }],
  [5, { category: 'BIOS' }],
  [7, { category: 'OS/VMM', type: 'SEAMLDR ACM' }],
]);
const TDX_COMPONENTS: ReadonlyMap<number, JsonObject> = new Map([
  [0, { category: 'OS/VMM', type: 'TDX Module' }],
  [1, { category: 'OS/VMM', type: 'TDX Module' }],
  [2, { category: 'OS/VMM', type: 'TDX Late Microcode Update' }],
]);
