import type { Claims, HclClaims, SnpClaims, TdxClaims, TokenClaims, TpmClaims } from '../core/claims.js';
import { isObject, type JsonObject, type JsonValue } from '../core/json.js';
import { canonicalJson } from '../formats/canonical-json.js';
import { digestOf } from './kept-values.js';
import type { Redaction } from './redaction.js';

/** How one member of the claims is recorded. Undefined: it is left out. */
type Way = (value: JsonValue, redaction: Redaction) => JsonValue | undefined;

/** A longer list is recorded as its length and SHA-256. */
const LONGEST_LIST = 8;

/** A longer text of a token is left out. */
const LONGEST_TEXT = 256;

const kept: Way = (value) => (isUnset(value) ? undefined : bounded(value));
const withheld: Way = (value, redaction) => (isUnset(value) ? undefined : redaction.withhold(value));
/** Leaves the value out, and removes it from the texts of checks. */
const leftOut: Way = (value, redaction) => {
  redaction.hide(value);
  return undefined;
};
/** Replaces texts of a guest, which may have any length, by digests. */
const hashed: Way = (value) => (Array.isArray(value) ? bounded(value.map((text) => digestOf(String(text)))) : value);

/** Records flags that are set, and numbers. */
const flags: Way = (value) => membersWith(value, (flag) => flag !== false);
/** Records levels, except those equal to the reported one. */
const levels: Way = (value) => {
  const reported = JSON.stringify((value as JsonObject)['reported']);
  return membersWith(value, (level, name) => name === 'reported' || JSON.stringify(level) !== reported);
};
/** Records registers by bank, except those that were never extended. */
const registers: Way = (value) =>
  Object.fromEntries(
    Object.entries(value as JsonObject).map(([bank, values]) => [bank, membersWith(values, (each) => !isUnset(each))]),
  );

/** The way for each member of one kind of claims. A new member does not compile without a way. */
type Ways<T> = { readonly [name in keyof Required<T>]: Way };

const EVENT_LOG: Ways<NonNullable<TpmClaims['eventLog']>> = {
  replayed: kept,
  notCovered: kept,
  secureBoot: kept,
  pk: kept,
  kek: kept,
  db: kept,
  dbx: kept,
  mokList: kept,
  applications: kept,
  commandLines: hashed,
  files: kept,
};

const VM_CONFIGURATION: { readonly [name: string]: Way } = {
  consoleEnabled: kept,
  interactiveConsoleEnabled: kept,
  rootCertThumbprint: kept,
  secureBoot: kept,
  tpmEnabled: kept,
  tpmPersisted: kept,
  vmUniqueId: withheld,
};

const SNP: Ways<SnpClaims> = {
  version: kept,
  product: kept,
  part: kept,
  cpuid: kept,
  firmware: kept,
  mitigation: kept,
  signingKey: kept,
  vmpl: kept,
  guestSvn: kept,
  policy: flags,
  platformInfo: flags,
  tcb: levels,
  authorKeyEnabled: kept,
  measurement: kept,
  hostData: kept,
  idKeyDigest: kept,
  authorKeyDigest: kept,
  reportId: withheld,
  reportIdMa: withheld,
  chipId: withheld,
  cspId: kept,
  reportData: withheld,
  familyId: kept,
  imageId: kept,
};

const TDX: Ways<TdxClaims> = {
  quoteVersion: kept,
  mrtd: kept,
  rtmr: kept,
  mrConfigId: kept,
  mrOwner: kept,
  mrOwnerConfig: kept,
  mrSeam: kept,
  mrSignerSeam: kept,
  mrServiceTd: kept,
  teeTcbSvn: kept,
  tdAttributes: flags,
  xfam: kept,
  serviceTd: kept,
  reportData: withheld,
  ppid: withheld,
  fmspc: kept,
  pceId: kept,
  tcb: kept,
  eventLog: membersBy(EVENT_LOG),
};

const HCL: Ways<HclClaims> = {
  reportType: kept,
  paravisor: kept,
  akThumbprint: withheld,
  userData: withheld,
  vmConfiguration: membersBy(VM_CONFIGURATION),
};

const TPM: Ways<TpmClaims> = {
  pcrs: registers,
  firmwareVersion: kept,
  clock: kept,
  eventLog: membersBy(EVENT_LOG),
  certifiedKey: membersBy({ jkt: kept, jwk: leftOut }),
};

const TOKEN: Ways<TokenClaims> = {
  issuer: kept,
  attestationType: kept,
  policyHash: kept,
  stated: kept,
  claims: tokenClaims,
};

const SECTIONS: Ways<Claims> = {
  snp: membersBy(SNP),
  tdx: membersBy(TDX),
  hcl: membersBy(HCL),
  tpm: membersBy(TPM),
  maa: membersBy(TOKEN),
  ita: membersBy(TOKEN),
};

/** Writes claims for the record: members by name, identifiers by `redaction`, long lists by length and digest. */
export function recordedClaims(claims: Claims, redaction: Redaction): JsonObject {
  return membersBy(SECTIONS)(claims as JsonObject, redaction) as JsonObject;
}

/** Whether a field in hex is all zeros or all ones, thus unset. Such a value identifies nothing. */
function isUnset(value: JsonValue): boolean {
  return typeof value === 'string' && /^(?:0{16,}|f{16,})$/i.test(value);
}

function membersWith(value: JsonValue, isRecorded: (member: JsonValue, name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(value as JsonObject).filter(([name, member]) => isRecorded(member, name)));
}

function membersBy(ways: { readonly [name: string]: Way }): Way {
  const entries = Object.entries(ways);
  return (value, redaction) => {
    if (!isObject(value)) return value;
    const recorded: { [name: string]: JsonValue } = {};
    for (const [name, way] of entries) {
      const member = value[name];
      const written = member === undefined ? undefined : way(member, redaction);
      if (written !== undefined) recorded[name] = written;
    }
    for (const [name, member] of Object.entries(value)) if (!Object.hasOwn(ways, name)) leftOut(member, redaction);
    return recorded;
  };
}

/** A long list becomes its number and the SHA-256 of its canonical JSON. */
function bounded(value: JsonValue): JsonValue {
  if (!Array.isArray(value) || value.length <= LONGEST_LIST) return value;
  return { count: value.length, sha256: digestOf(canonicalJson(value)) };
}

/** Objects of tokens that are read for the members below. */
const TOKEN_OBJECTS: ReadonlySet<string> = new Set([
  'x-ms-isolation-tee',
  'x-ms-runtime',
  'vm-configuration',
  'tdx',
  'sevsnp',
  'attester_runtime_data',
]);

const prefixed = (prefix: string, names: string): readonly string[] => names.split(' ').map((name) => prefix + name);

/**
 * Members of tokens of Azure Attestation and Trust Authority that describe a TEE and no single machine. Other members are
 * not recorded: the author of the token chose their names and values.
 */
const TOKEN_NAMES: ReadonlySet<string> = new Set([
  ...prefixed('', 'iss iat nbf exp ver eat_profile dbgstat secureboot'),
  ...prefixed('x-ms-', 'ver attestation-type compliance-status policy-hash'),
  ...prefixed('x-ms-sevsnpvm-', 'authorkeydigest bootloader-svn familyId guestsvn hostdata idkeydigest imageId'),
  ...prefixed('x-ms-sevsnpvm-', 'is-debuggable launchmeasurement microcode-svn migration-allowed smt-allowed'),
  ...prefixed('x-ms-sevsnpvm-', 'snpfw-svn tee-svn vmpl'),
  ...prefixed('x-ms-azurevm-', 'bootdebug-enabled dbvalidated dbxvalidated debuggersdisabled hypervisordebug-enabled'),
  ...prefixed('x-ms-azurevm-', 'kerneldebug-enabled osdistro ostype signingdisabled testsigning-enabled'),
  ...prefixed('attester_', 'type tcb_status tcb_date advisory_ids'),
  ...prefixed('tdx_', 'is_debuggable is_migratable mrconfigid mrowner mrownerconfig mrseam mrsignerseam mrtd'),
  ...prefixed('tdx_', 'rtmr0 rtmr1 rtmr2 rtmr3 seam_attributes seamsvn td_attributes tee_tcb_svn xfam'),
  ...prefixed('', 'console-enabled root-cert-thumbprint secure-boot tpm-enabled tpm-persisted'),
]);

/** Members that identify a machine or a VM, or that its owner or a caller chose. */
const TOKEN_IDENTIFIERS: ReadonlySet<string> = new Set([
  ...prefixed('', 'vmUniqueId user-data'),
  ...prefixed('x-ms-', 'azurevm-vmid sevsnpvm-reportdata sevsnpvm-chipid sevsnpvm-reportid'),
  ...prefixed('', 'sgx_report_data sevsnp_report_data sevsnp_chip_id tdx_report_data tdx_reportdata tdx_ppid'),
  ...prefixed('attester_', 'held_data user_data'),
]);

function tokenClaims(claims: JsonValue, redaction: Redaction): JsonObject {
  const recorded: { [name: string]: JsonValue } = {};
  for (const [name, value] of Object.entries(claims as JsonObject)) {
    const written = tokenMember(name, value, redaction);
    if (written !== undefined) recorded[name] = written;
  }
  return recorded;
}

function tokenMember(name: string, value: JsonValue, redaction: Redaction): JsonValue | undefined {
  if (isObject(value) && TOKEN_OBJECTS.has(name)) return tokenClaims(value, redaction);
  if (TOKEN_IDENTIFIERS.has(name) && typeof value === 'string') return redaction.withhold(value);
  const isRecorded = TOKEN_NAMES.has(name) && (Array.isArray(value) ? value.every(isShort) : isShort(value));
  return isRecorded ? bounded(value) : leftOut(value, redaction);
}

function isShort(value: JsonValue): boolean {
  return !isObject(value) && !Array.isArray(value) && String(value).length <= LONGEST_TEXT;
}

/** Names of claims that are recorded as digests, in every section and in tokens. */
export const WITHHELD_CLAIMS: ReadonlySet<string> = new Set([
  ...[SNP, TDX, HCL, VM_CONFIGURATION].flatMap((ways) =>
    Object.entries<Way>(ways)
      .filter(([, way]) => way === withheld)
      .map(([name]) => name),
  ),
  ...TOKEN_IDENTIFIERS,
]);
