import { camelCase, isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import {
  AK,
  count,
  type Entry,
  type Form,
  flag,
  guid,
  hexOf,
  readSources,
  type Source,
  stated,
  unsound,
} from './statement.js';

/** RFC 7638 SHA-256 thumbprint of a public JWK, base64url; null if it is not such a key. This room computes no hash. */
export type KeyThumbprint = (key: JsonObject) => string | null;

export const USER_DATA = 'hcl.userData';
export const CURRENT_TIME = 'hcl.vmConfiguration.currentTime';
export const VM_CONFIGURATION = 'hcl.vmConfiguration';

const RUNTIME_MEMBERS: readonly Source[] = [[USER_DATA, 'user-data', hexOf(64)]];

const VM_CONFIGURATION_FORMS: ReadonlyMap<string, Form> = new Map([
  ['secureBoot', flag],
  ['tpmEnabled', flag],
  ['tpmPersisted', flag],
  ['consoleEnabled', flag],
  ['currentTime', count],
  ['vmUniqueId', guid],
]);

const asItStands: Form = (value) => value;

/**
 * The statements in hardware-bound runtime data of a token. Runtime data without `HCLAkPub` belong to the guest,
 * whatever their members are named, and state nothing here.
 */
export function paravisorStatements(runtime: JsonValue | undefined, thumbprint: KeyThumbprint): readonly Entry[] {
  if (runtime === undefined || runtime === null) return [];
  if (!isObject(runtime)) return [[AK, unsound(runtime)]];
  const keys = attestationKeys(runtime['keys']);
  if (keys.length === 0) return [];
  const vmConfiguration = runtime['vm-configuration'];
  return [
    [AK, attestationKeyStatement(keys, thumbprint)],
    ...readSources(runtime, RUNTIME_MEMBERS),
    ...(vmConfiguration === undefined ? [] : vmConfigurationStatements(vmConfiguration)),
  ];
}

/** A statement for each member of `vm-configuration`: the paravisor measures the configuration as a whole. */
export function vmConfigurationStatements(vmConfiguration: JsonValue): readonly Entry[] {
  if (!isObject(vmConfiguration)) return [[VM_CONFIGURATION, unsound(vmConfiguration)]];
  return Object.entries(vmConfiguration).map(([member, value]): Entry => {
    const name = camelCase(member);
    return [`${VM_CONFIGURATION}.${name}`, stated(value, VM_CONFIGURATION_FORMS.get(name) ?? asItStands)];
  });
}

function attestationKeys(keys: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(keys) ? keys.filter(isObject).filter((key) => key['kid'] === 'HCLAkPub') : [];
}

/** If there are two keys of that name, either could be the attestation key, so the claim is unsound. */
function attestationKeyStatement(keys: readonly JsonObject[], thumbprint: KeyThumbprint) {
  const [key, ...more] = keys;
  if (key === undefined || more.length > 0) return unsound([...keys]);
  return stated(key, thumbprintOf(thumbprint));
}

function thumbprintOf(thumbprint: KeyThumbprint): Form {
  return (key) => (isObject(key) ? (thumbprint(key) ?? undefined) : undefined);
}
