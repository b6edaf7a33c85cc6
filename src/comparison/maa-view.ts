import type { Claims, HclClaims } from '../model/claims.js';
import type { EvidenceType } from '../model/evidence.js';
import { hasVtpm } from '../model/evidence-traits.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import type { Verified } from '../model/verified.js';
import { hardwareView } from './hardware-view.js';
import type { Source, Statements } from './statement.js';
import { MAA_SNP_SOURCES, TDX_SOURCES } from './token-views.js';

type Members = readonly (readonly [name: string, value: JsonValue])[];

const ISOLATION = 'x-ms-isolation-tee';

/** What every token has of its issuer. */
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

/** What a guest token says of the operating system, from the boot log, and of what the guest sent with it. */
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

/** What a token about a TD has beside what is compared: words of its service, and bytes that our claims have by bit or not at all. */
const OF_A_TD = ['dbgstat', 'eat_profile', 'intuse', 'tdx_seam_attributes', 'tdx_seamsvn', 'tdx_td_attributes'];

/**
 * What our own verification proves, under the names and at the paths of an Azure Attestation token; null where it
 * proves no hardware. It is no token, and its member `absent` lists what a token has and this has not: what only
 * Azure Attestation can state, and what our claims do not hold.
 */
export function maaView(claims: Verified<Claims>, evidenceType: EvidenceType): JsonObject | null {
  const hardware = hardwareView(claims, evidenceType);
  if (hardware === null) return null;
  const runtime = runtimeMembers(claims.hcl);
  const ofTdx = claims.tdx !== undefined;
  const tee: Members = [
    ['x-ms-attestation-type', ofTdx ? 'tdxvm' : 'sevsnpvm'],
    ...members(hardware.statements, ofTdx ? TDX_SOURCES : MAA_SNP_SOURCES),
    ...(runtime.length === 0 ? [] : [['x-ms-runtime', object(runtime)] as const]),
  ];
  if (!hasVtpm(evidenceType)) return object([...tee, ['absent', [...OF_THE_ISSUER, ...absentOfTee(claims)]]]);
  const absentInside = absentOfTee(claims).map((name) => `${ISOLATION}.${name}`);
  return object([
    ['x-ms-attestation-type', 'azurevm'],
    [ISOLATION, object(tee)],
    ['absent', [...OF_THE_ISSUER, ...OF_THE_GUEST, ...absentInside]],
  ]);
}

function members(statements: Statements, sources: readonly Source[]): Members {
  return sources.flatMap(([claim, name]) => {
    const statement = statements.get(claim);
    return statement === undefined ? [] : [[name, statement.value] as const];
  });
}

function runtimeMembers(hcl: HclClaims | undefined): Members {
  if (hcl === undefined) return [];
  const { userData, vmConfiguration } = hcl;
  const configured = Object.entries(vmConfiguration ?? {}).map(([name, value]) => [kebabCase(name), value] as const);
  return [
    ...(vmConfiguration === undefined ? [] : [['vm-configuration', object(configured)] as const]),
    // The paravisor writes its letters in upper case, and Azure Attestation repeats the text.
    ...(userData === null ? [] : [['user-data', userData.toUpperCase()] as const]),
  ];
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
function object(members: Members): JsonObject {
  return Object.assign(Object.create(null), Object.fromEntries(members));
}
