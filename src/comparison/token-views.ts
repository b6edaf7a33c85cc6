import type { Claims, TokenClaims } from '../model/claims.js';
import { isObject, type JsonObject, type JsonValue } from '../model/json.js';
import type { Verified } from '../model/verified.js';
import { type KeyThumbprint, paravisorStatements } from './paravisor-statements.js';
import {
  collectStatements,
  type Entry,
  flag,
  guid,
  readSources,
  type Source,
  sound,
  TEE,
  type TeeView,
  tokenView,
  unsound,
} from './statement.js';
import { MAA_SNP_SOURCES, TDX_SOURCES } from './token-sources.js';

/** What a guest token says of the VM beside its hardware: a second time, from the boot log and from the platform. */
const GUEST_SOURCES: readonly Source[] = [
  ['hcl.vmConfiguration.secureBoot', 'secureboot', flag],
  ['hcl.vmConfiguration.vmUniqueId', 'x-ms-azurevm-vmid', guid],
];

/** The TEE as a verified token of Azure Attestation states it; null where there is no such token. */
export function maaTokenView(claims: Verified<Claims>, thumbprint: KeyThumbprint): TeeView | null {
  const token = claims.maa;
  if (token === undefined) return null;
  const ofGuest = token.attestationType === 'azurevm';
  const entries = ofGuest ? guestStatements(token.claims, thumbprint) : teeStatements(token.claims, thumbprint);
  return tokenView('maa', collectStatements(entries), ofGuest);
}

function guestStatements(claims: JsonObject, thumbprint: KeyThumbprint): readonly Entry[] {
  return [...isolationStatements(claims['x-ms-isolation-tee'], thumbprint), ...readSources(claims, GUEST_SOURCES)];
}

/** On a Trusted Launch VM the object is absent: then the token states no TEE. */
function isolationStatements(isolation: JsonValue | undefined, thumbprint: KeyThumbprint): readonly Entry[] {
  if (isolation === undefined) return [];
  return isObject(isolation) ? teeStatements(isolation, thumbprint) : [[TEE, unsound(isolation)]];
}

/** Only claims of the TEE that the type names are read. Without a type, none are. */
function teeStatements(tee: JsonObject, thumbprint: KeyThumbprint): readonly Entry[] {
  const type = tee['x-ms-attestation-type'];
  const ofParavisor = () => paravisorStatements(tee['x-ms-runtime'], thumbprint);
  switch (type) {
    case 'sevsnpvm':
      return [[TEE, sound('snp')], ...readSources(tee, MAA_SNP_SOURCES), ...ofParavisor()];
    case 'tdxvm':
      return [[TEE, sound('tdx')], ...readSources(tee, TDX_SOURCES), ...ofParavisor()];
    case undefined:
      return [];
    default:
      return [[TEE, unsound(type)]];
  }
}

/** Claims that only Trust Authority has a name for. It states the debug attribute twice. */
const OWN_SOURCES: readonly Source[] = [
  ['tdx.tdAttributes.debug', 'tdx_is_debuggable', flag],
  ['tdx.tdAttributes.migratable', 'tdx_td_attributes_migratable', flag],
  ['tdx.tdAttributes.migratable', 'tdx_is_migratable', flag],
];

/** The TEE as a verified token of Trust Authority states it; null where there is no such token. */
export function itaTokenView(claims: Verified<Claims>, thumbprint: KeyThumbprint): TeeView | null {
  const token = claims.ita;
  if (token === undefined) return null;
  return tokenView('ita', collectStatements(tdStatements(token, thumbprint)), false);
}

function tdStatements(token: TokenClaims, thumbprint: KeyThumbprint): readonly Entry[] {
  if (token.attestationType !== 'TDX') return [[TEE, unsound(token.attestationType)]];
  // A token of version 2 has one object for each attester, one of version 1 the claims of its only one on top.
  const td = token.claims['tdx'] ?? token.claims;
  return isObject(td) ? attesterStatements(td, thumbprint) : [[TEE, unsound(td)]];
}

function attesterStatements(td: JsonObject, thumbprint: KeyThumbprint): readonly Entry[] {
  return [
    [TEE, sound('tdx')],
    ...readSources(td, TDX_SOURCES),
    ...readSources(td, OWN_SOURCES),
    ...paravisorStatements(td['attester_runtime_data'], thumbprint),
  ];
}
