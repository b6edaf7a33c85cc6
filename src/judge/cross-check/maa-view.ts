import type { Claims, HclClaims } from '../../core/claims.js';
import type { EvidenceType } from '../../core/evidence.js';
import { hasVtpm } from '../../core/evidence-traits.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import type { Verified } from '../../core/verified.js';
import { hardwareView } from './hardware-view.js';
import { MAA_SNP_SOURCES, TDX_SOURCES } from './token-views.js';

const ISOLATION = 'x-ms-isolation-tee';

/** The statement of every token about its issuer. */
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

/** The statements of a guest token about the operating system, from the boot log, and about the guest's own payload. */
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

/** Claims of a TD token that are not compared: words of its service, and bytes that our claims have by bit or not at all. */
const OF_A_TD = ['dbgstat', 'eat_profile', 'intuse', 'tdx_seam_attributes', 'tdx_seamsvn', 'tdx_td_attributes'];

/**
 * The result of our own verification, under the names and at the paths of an Azure Attestation token; null where it
 * proves no hardware. It is no token, and its member `absent` lists what a token has and this has not: what only
 * Azure Attestation can state, and what our claims do not hold.
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

/** The keys are absent since our claims hold their thumbprint only; the configuration where only the key is vouched for. */
function absentOfTee({ tdx, hcl }: Claims): readonly string[] {
  const ofTd = tdx === undefined ? [] : OF_A_TD;
  if (hcl === undefined) return ['x-ms-compliance-status', ...ofTd, 'x-ms-runtime'];
  const configuration = hcl.vmConfiguration === undefined ? ['x-ms-runtime.vm-configuration'] : [];
  return ['x-ms-compliance-status', ...ofTd, 'x-ms-runtime.keys', ...configuration];
}

/** The name that a member has in the paravisor's claims: all that are known have hyphens, except for one. */
function kebabCase(name: string): string {
  return name === 'vmUniqueId' ? name : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Without a prototype, as all JSON here. */
function plain(members: JsonObject): Record<string, JsonValue> {
  return Object.assign(Object.create(null), members);
}
