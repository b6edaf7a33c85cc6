import type { Claims, TokenClaims } from '../../core/claims.js';
import { isObject, type JsonObject, type JsonValue } from '../../core/json.js';
import type { Verified } from '../../core/verified.js';
import { type KeyThumbprint, paravisorStatements } from './paravisor-statements.js';
import {
  collectStatements,
  count,
  type Entry,
  flag,
  guid,
  hexOf,
  readSources,
  type Source,
  sound,
  TEE,
  type TeeView,
  text,
  tokenView,
  unsound,
} from './statement.js';

/** Statements of a guest token about the VM that repeat others: from the boot log and from the platform. */
const GUEST_SOURCES: readonly Source[] = [
  ['hcl.vmConfiguration.secureBoot', 'secureboot', flag],
  ['hcl.vmConfiguration.vmUniqueId', 'x-ms-azurevm-vmid', guid],
];

/** The TEE according to a verified token of Azure Attestation; null if there is no such token. */
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

/** On a Trusted Launch VM the object is absent. The token then states no TEE. */
function isolationStatements(isolation: JsonValue | undefined, thumbprint: KeyThumbprint): readonly Entry[] {
  if (isolation === undefined) return [];
  return isObject(isolation) ? teeStatements(isolation, thumbprint) : [[TEE, unsound(isolation)]];
}

/** Reads only claims of the TEE that the type names. Without a type, reads none. */
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

/** Claims that only Trust Authority states. It states the debug attribute twice. */
const OWN_SOURCES: readonly Source[] = [
  ['tdx.tdAttributes.debug', 'tdx_is_debuggable', flag],
  ['tdx.tdAttributes.migratable', 'tdx_td_attributes_migratable', flag],
  ['tdx.tdAttributes.migratable', 'tdx_is_migratable', flag],
];

/** The TEE according to a verified token of Trust Authority; null if there is no such token. */
export function itaTokenView(claims: Verified<Claims>, thumbprint: KeyThumbprint): TeeView | null {
  const token = claims.ita;
  if (token === undefined) return null;
  return tokenView('ita', collectStatements(tdStatements(token, thumbprint)), false);
}

function tdStatements(token: TokenClaims, thumbprint: KeyThumbprint): readonly Entry[] {
  if (token.attestationType !== 'TDX') return [[TEE, unsound(token.attestationType)]];
  // A token of version 2 has one object per attester. A token of version 1 has the claims of its only attester at the
  // top.
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

/**
 * Our SNP claims, with the names that Azure Attestation uses. Its SVNs are the components of REPORTED_TCB, except FMC,
 * which Turin has.
 */
export const MAA_SNP_SOURCES: readonly Source[] = [
  ['snp.measurement', 'x-ms-sevsnpvm-launchmeasurement', hexOf(48)],
  ['snp.reportData', 'x-ms-sevsnpvm-reportdata', hexOf(64)],
  ['snp.hostData', 'x-ms-sevsnpvm-hostdata', hexOf(32)],
  ['snp.idKeyDigest', 'x-ms-sevsnpvm-idkeydigest', hexOf(48)],
  ['snp.authorKeyDigest', 'x-ms-sevsnpvm-authorkeydigest', hexOf(48)],
  ['snp.reportId', 'x-ms-sevsnpvm-reportid', hexOf(32)],
  ['snp.familyId', 'x-ms-sevsnpvm-familyId', hexOf(16)],
  ['snp.imageId', 'x-ms-sevsnpvm-imageId', hexOf(16)],
  ['snp.vmpl', 'x-ms-sevsnpvm-vmpl', count],
  ['snp.guestSvn', 'x-ms-sevsnpvm-guestsvn', count],
  ['snp.policy.debug', 'x-ms-sevsnpvm-is-debuggable', flag],
  ['snp.policy.smt', 'x-ms-sevsnpvm-smt-allowed', flag],
  ['snp.policy.migrateMa', 'x-ms-sevsnpvm-migration-allowed', flag],
  ['snp.tcb.reported.bootloader', 'x-ms-sevsnpvm-bootloader-svn', count],
  ['snp.tcb.reported.tee', 'x-ms-sevsnpvm-tee-svn', count],
  ['snp.tcb.reported.snp', 'x-ms-sevsnpvm-snpfw-svn', count],
  ['snp.tcb.reported.microcode', 'x-ms-sevsnpvm-microcode-svn', count],
];

/** TDX claims, with the names that both Azure Attestation and Trust Authority use. */
export const TDX_SOURCES: readonly Source[] = [
  ['tdx.mrtd', 'tdx_mrtd', hexOf(48)],
  ['tdx.rtmr[0]', 'tdx_rtmr0', hexOf(48)],
  ['tdx.rtmr[1]', 'tdx_rtmr1', hexOf(48)],
  ['tdx.rtmr[2]', 'tdx_rtmr2', hexOf(48)],
  ['tdx.rtmr[3]', 'tdx_rtmr3', hexOf(48)],
  ['tdx.mrConfigId', 'tdx_mrconfigid', hexOf(48)],
  ['tdx.mrOwner', 'tdx_mrowner', hexOf(48)],
  ['tdx.mrOwnerConfig', 'tdx_mrownerconfig', hexOf(48)],
  ['tdx.mrSeam', 'tdx_mrseam', hexOf(48)],
  ['tdx.mrSignerSeam', 'tdx_mrsignerseam', hexOf(48)],
  ['tdx.reportData', 'tdx_report_data', hexOf(64)],
  ['tdx.teeTcbSvn', 'tdx_tee_tcb_svn', hexOf(16)],
  ['tdx.xfam', 'tdx_xfam', hexOf(8)],
  ['tdx.tdAttributes.debug', 'tdx_td_attributes_debug', flag],
  ['tdx.tdAttributes.septVeDisable', 'tdx_td_attributes_septve_disable', flag],
  ['tdx.tdAttributes.pks', 'tdx_td_attributes_protection_keys', flag],
  ['tdx.tdAttributes.keyLocker', 'tdx_td_attributes_key_locker', flag],
  ['tdx.tdAttributes.perfmon', 'tdx_td_attributes_perfmon', flag],
  ['tdx.tcb.status', 'attester_tcb_status', text],
];
