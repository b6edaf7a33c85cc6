import type { Claims } from './claims.js';
import type {
  AkCertificateInput,
  EventLogInput,
  EvidenceOf,
  EvidenceType,
  HclParts,
  SnpEndorsementInput,
  TdxCollateral,
  TokenRoute,
  TokenType,
  TpmQuoteInput,
} from './evidence.js';

/** The root of trust of the evidence: a TEE's own report, a TPM alone, or another verifier. */
export type EvidenceKind = 'hardware' | 'tpm' | 'token';

/** The type of a parsed member of evidence, by its form. */
export interface MemberValues {
  readonly optionalBytes: Uint8Array | null;
  readonly text: string;
  readonly tpmQuote: TpmQuoteInput;
  readonly snpEndorsements: SnpEndorsementInput;
  readonly tdxCollateral: TdxCollateral | null;
  readonly akCertificate: AkCertificateInput | null;
  readonly eventLog: EventLogInput | null;
}

/** How a member of evidence is read: as bytes of the named structure, or in one of the shared forms. */
export type MemberForm = { readonly structure: string } | keyof MemberValues;

type FormOfValue<V> = [V] extends [Uint8Array | HclParts]
  ? { readonly structure: string }
  : { [F in keyof MemberValues]: [V] extends [MemberValues[F]] ? F : never }[keyof MemberValues];

/** Members of all evidence of a type; members that only a dialect supplies are optional. */
type MemberForms<E> = {
  readonly [M in keyof E as M extends 'type' ? never : undefined extends E[M] ? never : M]: FormOfValue<E[M]>;
};

/** The properties of evidence that its type determines. */
export interface EvidenceTraits {
  readonly kind: EvidenceKind;
  /** The TEE whose report is in the evidence, by its section of claims; null for none. */
  readonly tee: keyof Claims | null;
  /** Whether an Azure paravisor runs between the hardware and the guest. */
  readonly paravisor: boolean;
  readonly vtpm: boolean;
  /** The route of the token; null for other evidence. */
  readonly tokenRoute: TokenRoute | null;
  /** Whether policies have minimums and requirements for its TEE. Otherwise they only require its claims. */
  readonly hasTeeTopics: boolean;
  /** Possible places of the caller's nonce, or of the value that binds nonce and key. */
  readonly noncePlaces: readonly string[];
  /** The longest nonce that fits, and the structure that limits it; null if any nonce fits. */
  readonly longestNonce: { readonly bytes: number; readonly holder: string } | null;
  /** Sections of claims that such evidence always has once it is verified: that of its report or token first. */
  readonly always: readonly (keyof Claims)[];
  /** The same, and those that it can have. Bare evidence can carry the runtime claims of a paravisor. */
  readonly possible: readonly (keyof Claims)[];
  /** Member with a section of claims. For a section that the type lacks: the member in other types. */
  readonly places: { readonly [section in keyof Claims | 'eventLog']?: string };
  /** Schema of its native form in openapi.yaml. */
  readonly schema: string;
  /** Members of the native form, in reading order. */
  readonly members: { readonly [name: string]: MemberForm };
}

/** Requires that a row has the members of the evidence. */
type RowOf<T extends EvidenceType> = EvidenceTraits & { readonly members: MemberForms<EvidenceOf<T>> };

/** TPM2B_DATA of a vTPM: the limit of extraData in a quote. */
const TPM_EXTRA_DATA = { bytes: 50, holder: 'a TPM quote' } as const;

/** Report data is longer than any nonce. */
const OF_A_BARE_REPORT = {
  kind: 'hardware',
  paravisor: false,
  vtpm: false,
  tokenRoute: null,
  hasTeeTopics: true,
  longestNonce: null,
} as const;

const OF_A_PARAVISOR = {
  kind: 'hardware',
  paravisor: true,
  vtpm: true,
  tokenRoute: null,
  hasTeeTopics: true,
  noncePlaces: ['hcl.userData', 'tpm.extraData'],
  longestNonce: TPM_EXTRA_DATA,
  places: { snp: 'hclReport', tdx: 'tdQuote', hcl: 'hclReport', tpm: 'tpmQuote', eventLog: 'eventLog' },
} as const;

const OF_A_TOKEN = {
  kind: 'token',
  tee: null,
  paravisor: false,
  vtpm: false,
  hasTeeTopics: false,
  longestNonce: null,
  places: { snp: 'token', tdx: 'token', hcl: 'token', tpm: 'token', maa: 'token', ita: 'token' },
  members: { token: 'text' },
} as const;

/** The traits of every type of evidence. No other code compares the name of a type. */
export const EVIDENCE_TRAITS = {
  snp: {
    ...OF_A_BARE_REPORT,
    tee: 'snp',
    always: ['snp'],
    possible: ['snp', 'hcl'],
    noncePlaces: ['snp.reportData', 'runtimeData.nonce', 'hcl.userData'],
    places: { snp: 'report', tdx: 'tdQuote', hcl: 'runtimeData', tpm: 'tpmQuote' },
    schema: 'SnpEvidence',
    members: { report: { structure: 'SNP report' }, runtimeData: 'optionalBytes', endorsements: 'snpEndorsements' },
  },
  tdx: {
    ...OF_A_BARE_REPORT,
    tee: 'tdx',
    always: ['tdx'],
    possible: ['tdx', 'hcl'],
    noncePlaces: ['tdx.reportData', 'runtimeData.nonce', 'hcl.userData'],
    places: { snp: 'report', tdx: 'quote', hcl: 'runtimeData', tpm: 'tpmQuote', eventLog: 'ccel' },
    schema: 'TdxEvidence',
    members: {
      quote: { structure: 'TD quote' },
      runtimeData: 'optionalBytes',
      collateral: 'tdxCollateral',
      ccel: 'optionalBytes',
    },
  },
  'az-snp-vtpm': {
    ...OF_A_PARAVISOR,
    tee: 'snp',
    always: ['snp', 'hcl', 'tpm'],
    possible: ['snp', 'hcl', 'tpm'],
    schema: 'AzSnpVtpmEvidence',
    members: {
      hclReport: { structure: 'HCL report' },
      tpmQuote: 'tpmQuote',
      endorsements: 'snpEndorsements',
      ak: 'akCertificate',
      eventLog: 'eventLog',
    },
  },
  'az-tdx-vtpm': {
    ...OF_A_PARAVISOR,
    tee: 'tdx',
    always: ['tdx', 'hcl', 'tpm'],
    possible: ['tdx', 'hcl', 'tpm'],
    schema: 'AzTdxVtpmEvidence',
    members: {
      hclReport: { structure: 'HCL report' },
      tdQuote: { structure: 'TD quote' },
      tpmQuote: 'tpmQuote',
      collateral: 'tdxCollateral',
      ak: 'akCertificate',
      eventLog: 'eventLog',
    },
  },
  tpm: {
    kind: 'tpm',
    tee: null,
    paravisor: false,
    vtpm: true,
    tokenRoute: null,
    hasTeeTopics: false,
    noncePlaces: ['tpm.extraData'],
    longestNonce: TPM_EXTRA_DATA,
    always: ['tpm'],
    possible: ['tpm'],
    places: { tpm: 'tpmQuote', eventLog: 'eventLog' },
    schema: 'TpmEvidence',
    members: { tpmQuote: 'tpmQuote', ak: 'akCertificate', eventLog: 'eventLog' },
  },
  'maa-token': {
    ...OF_A_TOKEN,
    tokenRoute: 'maa',
    always: ['maa'],
    possible: ['maa'],
    noncePlaces: ['maa.userData', 'maa.reportData', 'maa.runtimeNonce', 'maa.clientPayloadNonce'],
    schema: 'MaaTokenEvidence',
  },
  'ita-token': {
    ...OF_A_TOKEN,
    tokenRoute: 'ita',
    always: ['ita'],
    possible: ['ita'],
    noncePlaces: ['ita.userData', 'ita.heldData', 'ita.runtimeData', 'ita.verifierNonce'],
    schema: 'ItaTokenEvidence',
  },
} as const satisfies { readonly [T in EvidenceType]: RowOf<T> };

type Rows = typeof EVIDENCE_TRAITS;

/** TEEs whose reports are evidence. */
export type Tee = Exclude<Rows[EvidenceType]['tee'], null>;

/** TEEs that policies have minimums and requirements for. */
export type TeeOfPolicies = Exclude<Extract<Rows[EvidenceType], { hasTeeTopics: true }>['tee'], null>;

/** Every type of evidence, in display order. */
export const EVIDENCE_TYPES = Object.keys(EVIDENCE_TRAITS) as readonly EvidenceType[];

export function traitsOf(type: EvidenceType): EvidenceTraits & { readonly tee: Tee | null } {
  return EVIDENCE_TRAITS[type];
}

export function kindOf(type: EvidenceType): EvidenceKind {
  return EVIDENCE_TRAITS[type].kind;
}

export function isHardwareType(type: EvidenceType): boolean {
  return kindOf(type) === 'hardware';
}

/** Evidence of a vTPM without a hardware report. */
export function isTpmType(type: EvidenceType): boolean {
  return kindOf(type) === 'tpm';
}

export function isTokenType(type: EvidenceType): boolean {
  return kindOf(type) === 'token';
}

export function teeOf(type: EvidenceType): Tee | null {
  return EVIDENCE_TRAITS[type].tee;
}

export function hasParavisor(type: EvidenceType): boolean {
  return EVIDENCE_TRAITS[type].paravisor;
}

export function hasVtpm(type: EvidenceType): boolean {
  return EVIDENCE_TRAITS[type].vtpm;
}

/** Whether evidence of a type can have the event log of a TD. Behind a paravisor, RTMRs belong to the paravisor. */
export function hasTdEventLog(type: EvidenceType): boolean {
  return traitsOf(type).places.eventLog === 'ccel';
}

/** The route of the token for evidence of a token type; null for other types. */
export function tokenRouteOf<T extends EvidenceType>(type: T): Rows[T]['tokenRoute'] {
  return EVIDENCE_TRAITS[type].tokenRoute;
}

export function tokenTypeOf(route: TokenRoute): TokenType {
  return TOKEN_TYPES[route];
}

const TOKEN_TYPES: { readonly [route in TokenRoute]: TokenType } = { maa: 'maa-token', ita: 'ita-token' };

/** JSON pointer of the member with a section of claims, or an event log. */
export function placeOf(section: keyof Claims | 'eventLog', type: EvidenceType): string {
  const member = traitsOf(type).places[section];
  return member === undefined ? '/evidence' : `/evidence/${member}`;
}
