import type { Claims, HclClaims } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { hasVtpm } from '../../core/evidence-traits.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import type { Verified } from '../../core/verified.js';
import { hardwareView } from './hardware-view.js';
import { MAA_SNP_SOURCES, TDX_SOURCES } from './token-views.js';

const ISOLATION = 'x-ms-isolation-tee';

/** The members of every token about its issuer. */
const OF_THE_ISSUER = [
  'iss',
  'iat',
  'nbf',
  'exp',
  'jti',
  'nonce',
  'x-ms-ver',
  'x-ms-policy-hash',
  'x-ms-policy-signer',
] as const;

/** The members of a guest token about the operating system (from the boot log) and the guest's own payload. */
const OF_THE_GUEST = [
  'secureboot',
  'x-ms-runtime',
  ...[
    'attestation-protocol-ver',
    'attested-pcrs',
    'bootdebug-enabled',
    'dbvalidated',
    'dbxvalidated',
    'debuggersdisabled',
    'default-securebootkeysvalidated',
    'elam-enabled',
    'flightsigning-enabled',
    'hvci-policy',
    'hypervisordebug-enabled',
    'is-windows',
    'kerneldebug-enabled',
    'osbuild',
    'osdistro',
    'ostype',
    'osversion-major',
    'osversion-minor',
    'signingdisabled',
    'testsigning-enabled',
    'vmid',
  ].map((name) => `x-ms-azurevm-${name}`),
];

/**
 * Members of a TD token that are not compared. They are texts of its service, or bytes that our claims hold bit by bit
 * or not at all.
 */
const OF_A_TD = ['dbgstat', 'eat_profile', 'intuse', 'tdx_seam_attributes', 'tdx_seamsvn', 'tdx_td_attributes'];

/**
 * The result of our own verification, with the names and paths of an Azure Attestation token; null if it proves no
 * hardware. It is not a token. Its member `absent` lists the members of a token that it lacks: statements that only
 * Azure Attestation can make, and values that our claims do not hold.
 */
export function maaView(claims: Verified<Claims>, evidenceType: EvidenceType): JsonObject | null {
  const hardware = hardwareView(claims, evidenceType);
  if (hardware === null) return null;
  const ofTdx = claims.tdx !== undefined;
  const tee = plain({ 'x-ms-attestation-type': ofTdx ? 'tdxvm' : 'sevsnpvm' });
  for (const [claim, name] of ofTdx ? TDX_SOURCES : MAA_SNP_SOURCES) {
    const statement = hardware.statements.get(claim);
    if (statement !== undefined) tee[name] = statement.value;
  }
  const runtime = runtimeMembers(claims.hcl);
  if (runtime !== null) tee['x-ms-runtime'] = runtime;
  if (!hasVtpm(evidenceType)) {
    tee['absent'] = [...OF_THE_ISSUER, ...absentOfTee(claims)];
    return tee;
  }
  const absentInside = absentOfTee(claims).map((name) => `${ISOLATION}.${name}`);
  return plain({
    'x-ms-attestation-type': 'azurevm',
    [ISOLATION]: tee,
    absent: [...OF_THE_ISSUER, ...OF_THE_GUEST, ...absentInside],
  });
}

function runtimeMembers(hcl: HclClaims | undefined): JsonObject | null {
  if (hcl === undefined) return null;
  const { userData, vmConfiguration } = hcl;
  if (userData === null && vmConfiguration === undefined) return null;
  const runtime = plain({});
  if (vmConfiguration !== undefined) {
    const configured = plain({});
    for (const [name, value] of Object.entries(vmConfiguration)) configured[kebabCase(name)] = value;
    runtime['vm-configuration'] = configured;
  }
  // The paravisor writes its letters in upper case, and Azure Attestation repeats the text.
  if (userData !== null) runtime['user-data'] = userData.toUpperCase();
  return runtime;
}

/**
 * Our claims hold only the thumbprint of the keys, so the keys are absent. The configuration is absent if only the key
 * is vouched for.
 */
function absentOfTee({ tdx, hcl }: Claims): readonly string[] {
  const ofTd = tdx === undefined ? [] : OF_A_TD;
  if (hcl === undefined) return ['x-ms-compliance-status', ...ofTd, 'x-ms-runtime'];
  const configuration = hcl.vmConfiguration === undefined ? ['x-ms-runtime.vm-configuration'] : [];
  return ['x-ms-compliance-status', ...ofTd, 'x-ms-runtime.keys', ...configuration];
}

/** The name of a member in the paravisor's claims. All known names have hyphens, except `vmUniqueId`. */
function kebabCase(name: string): string {
  return name === 'vmUniqueId' ? name : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** An object without a prototype, like all JSON here. */
function plain(members: JsonObject): Record<string, JsonValue> {
  return Object.assign(Object.create(null), members);
}
