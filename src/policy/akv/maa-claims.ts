import { meantName } from '../../core/names-in-messages.js';
import { type IntegerRange, UINT8, VMPL } from '../cel/claim-type.js';

/**
 * Known claims of Azure Attestation by their path in a token, and of a TD in tokens of Trust Authority. An instance
 * with its own policy may issue others, so an unknown path may still be a claim.
 */

export const ISOLATION = 'x-ms-isolation-tee';

/**
 * The object with the claims of a TD in tokens of Trust Authority of version 2. In version 1 they are at the top
 * level.
 */
export const TRUST_AUTHORITY_TD = 'tdx';

/** The form of a claim. `hex` is lower case; `guid` is in upper or lower case, as the host of the VM writes it. */
export type ClaimForm = 'text' | 'hex' | 'guid' | 'number' | 'boolean' | 'object' | 'list';

export interface MaaClaim {
  readonly form: ClaimForm;
  /** The possible values of an integer. */
  readonly range: IntegerRange;
  /** Whether every token has the claim. */
  readonly inEveryToken: boolean;
}

type Forms = { readonly [form in ClaimForm]?: readonly string[] };

const IN_EVERY_TOKEN: Forms = {
  text: ['iss', 'jti', 'x-ms-ver', 'x-ms-attestation-type', 'x-ms-policy-hash'],
  number: ['iat', 'nbf', 'exp'],
};

const OF_A_TOKEN: Forms = { object: ['x-ms-policy-signer', 'x-ms-runtime', 'x-ms-inittime', 'cnf', ISOLATION] };

const OF_SNP: Forms = named('x-ms-sevsnpvm-', {
  hex: [
    'authorkeydigest',
    'familyId',
    'hostdata',
    'idkeydigest',
    'imageId',
    'launchmeasurement',
    'reportdata',
    'reportid',
  ],
  number: ['bootloader-svn', 'guestsvn', 'microcode-svn', 'snpfw-svn', 'tee-svn', 'vmpl'],
  boolean: ['is-debuggable', 'migration-allowed', 'smt-allowed'],
});

/** Claims of a TD token whose names have no prefix. */
export const TD_NAMES: readonly string[] = ['attester_tcb_status', 'dbgstat', 'eat_profile', 'intuse'];

const OF_TDX: Forms = {
  text: TD_NAMES,
  ...named('tdx_', {
    hex: [
      ...['mrconfigid', 'mrowner', 'mrownerconfig', 'mrseam', 'mrsignerseam', 'mrtd', 'report_data'],
      ...['rtmr0', 'rtmr1', 'rtmr2', 'rtmr3', 'seam_attributes', 'td_attributes', 'tee_tcb_svn', 'xfam'],
    ],
    number: ['seamsvn'],
    boolean: ['debug', 'key_locker', 'perfmon', 'protection_keys', 'septve_disable'].map(
      (bit) => `td_attributes_${bit}`,
    ),
  }),
};

/** Claims about a TD that only Trust Authority issues. */
const OF_TRUST_AUTHORITY: Forms = {
  boolean: ['tdx_is_debuggable', 'tdx_is_migratable', 'tdx_td_attributes_migratable'],
};

/** Claims of SGX enclaves. Key Vault releases keys to enclaves by the same rules. */
const OF_SGX: Forms = named('x-ms-sgx-', {
  boolean: ['is-debuggable'],
  number: ['config-svn', 'product-id', 'svn'],
  hex: ['mrenclave', 'mrsigner'],
});

const OF_A_TEE: Forms = { text: ['x-ms-attestation-type', 'x-ms-compliance-status'], object: ['x-ms-runtime'] };

const OF_A_GUEST: Forms = named('x-ms-azurevm-', {
  text: ['attestation-protocol-ver', 'osbuild', 'osdistro', 'ostype'],
  number: ['hvci-policy', 'osversion-major', 'osversion-minor'],
  list: ['attested-pcrs'],
  guid: ['vmid'],
  boolean: [
    ...['bootdebug-enabled', 'dbvalidated', 'dbxvalidated', 'debuggersdisabled', 'default-securebootkeysvalidated'],
    ...['elam-enabled', 'flightsigning-enabled', 'hypervisordebug-enabled', 'is-windows', 'kerneldebug-enabled'],
    ...['signingdisabled', 'testsigning-enabled'],
  ],
});

const CONFIGURATION = 'x-ms-runtime.vm-configuration';

const OF_A_CONFIGURATION: Forms = {
  object: [CONFIGURATION],
  ...named(`${CONFIGURATION}.`, {
    boolean: [
      ...['console-enabled', 'interactive-console-enabled', 'filtered-vpci-devices-allowed'],
      ...['secure-boot', 'tpm-enabled', 'tpm-persisted'],
    ],
    guid: ['vmUniqueId'],
    number: ['current-time'],
    text: ['root-cert-thumbprint'],
  }),
};

/** Ranges of numbers in AMD's structures, the same as in CEL rules. */
const RANGES: ReadonlyMap<string, IntegerRange> = new Map([
  ['x-ms-sevsnpvm-vmpl', VMPL.range],
  ...['bootloader', 'microcode', 'snpfw', 'tee'].map((part) => [`x-ms-sevsnpvm-${part}-svn`, UINT8.range] as const),
]);

const ANY_INTEGER: IntegerRange = { what: '0', spans: [[0, Number.MAX_SAFE_INTEGER]] };

const CLAIMS: ReadonlyMap<string, MaaClaim> = new Map([
  ...maaClaimEntries([
    OF_A_TOKEN,
    OF_A_TEE,
    OF_SNP,
    OF_TDX,
    OF_A_GUEST,
    OF_A_CONFIGURATION,
    OF_SGX,
    { boolean: ['secureboot'] },
  ]),
  ...maaClaimEntries([OF_A_TEE, OF_SNP, OF_TDX, OF_A_CONFIGURATION]).map(
    ([name, claim]) => [`${ISOLATION}.${name}`, claim] as const,
  ),
  ...maaClaimEntries([OF_TDX, OF_TRUST_AUTHORITY]).map(
    ([name, claim]) => [`${TRUST_AUTHORITY_TD}.${name}`, claim] as const,
  ),
  ...maaClaimEntries([IN_EVERY_TOKEN]).map(([name, claim]) => [name, { ...claim, inEveryToken: true }] as const),
]);

/** The known form of the claim at a path; undefined if it is unknown. */
export function maaClaim(path: string): MaaClaim | undefined {
  return CLAIMS.get(path);
}

/** The known path that is most similar to an unknown one; null if none is similar. */
export function meantClaim(path: string): string | null {
  return meantName(path, PATHS);
}

const PATHS: readonly string[] = [...CLAIMS.keys()];

function maaClaimEntries(groups: readonly Forms[]): readonly (readonly [string, MaaClaim])[] {
  return groups.flatMap((group) =>
    Object.entries(group).flatMap(([form, names]) =>
      names.map(
        (name) =>
          [name, { form: form as ClaimForm, range: RANGES.get(name) ?? ANY_INTEGER, inEveryToken: false }] as const,
      ),
    ),
  );
}

function named(prefix: string, forms: Forms): Forms {
  return Object.fromEntries(Object.entries(forms).map(([form, names]) => [form, names.map((name) => prefix + name)]));
}
