import { createHash } from 'node:crypto';
import type { SnpProduct } from '../../../../src/core/claims.js';
import type { Sourced, TokenKeySet, Unavailable } from '../../../../src/core/endorsement.js';
import type { JsonObject } from '../../../../src/core/json.js';
import type { TokenVerification } from '../../../../src/core/verification.js';
import { parseKeySet } from '../../../../src/formats/json-web-key-set.js';
import type { MaaIssuer } from '../../../../src/tee/maa/issuer-policy.js';
import { MaaTokenVerifier } from '../../../../src/tee/maa/maa-token-verifier.js';
import { expectedBinding } from '../../../../src/tee/shared/binding/expected-binding.js';
import type { SnpReportVerifier } from '../../../../src/tee/shared/evidence/parts.js';
import { AmdSnpReportVerifier } from '../../../../src/tee/snp/snp-report-verifier.js';
import {
  AZURE_ID_KEY_DIGEST,
  azureVmClaims,
  type CertificateOptions,
  createSnpGuest,
  createVirtualMachine,
  type LabKey,
  type MaaSigner,
  maaJwk,
  maaSigner,
  makeToken,
  registeredClaims,
  sevSnpVmClaims,
  type TokenMaking,
  tdxVmClaims,
} from '../../../lab/index.js';
import { AT, PKI } from '../fixture.js';

/** An instance of Azure Attestation without its server, and a verifier that accepts it. */

export const ISSUER = 'https://sharedlab.lab.attest.azure.net';
export const POLICY_HASH = createHash('sha256').update('the policy of an instance').digest('base64url');

export function signerOf(certificate?: (key: LabKey) => Partial<CertificateOptions>): MaaSigner {
  const options = { name: 'maa-unit', issuer: ISSUER, at: AT };
  return maaSigner(certificate === undefined ? options : { ...options, certificate });
}

export const SIGNER = signerOf();

/** Another key of the same instance. */
export const OTHER_SIGNER = maaSigner({ name: 'maa-unit-other', issuer: ISSUER, at: AT });

export function keySetOf(...jwks: readonly JsonObject[]): Sourced<TokenKeySet> {
  const { keys } = parseKeySet(Buffer.from(JSON.stringify({ keys: jwks })));
  return { value: { keys, crls: [] }, origin: 'network' };
}

const VM = await createVirtualMachine({ pki: PKI });
export const GUEST = createSnpGuest({ pki: PKI });

const AZURE = new Set([AZURE_ID_KEY_DIGEST]);

export interface ClaimsMaking {
  readonly nonce?: Uint8Array;
  readonly jwk?: JsonObject | null;
  readonly clientPayloadNonce?: Uint8Array;
}

/** Claims about an Azure VM whose runtime claims hold X in user-data. */
export function azureVm({ nonce, jwk = null, clientPayloadNonce = new Uint8Array() }: ClaimsMaking = {}): JsonObject {
  const hclReport = VM.hclReport({ ...(nonce === undefined ? {} : { nonce }), jwk });
  return azureVmClaims({ hclReport, clientPayloadNonce, azureIdKeyDigests: AZURE });
}

/** Claims about a bare guest: X in report data, or N and key in runtime data. */
export function sevSnpVm({ nonce, jwk = null }: ClaimsMaking = {}, runtime = false): JsonObject {
  const { report, runtimeData } = GUEST.evidence({
    ...(nonce === undefined ? {} : { nonce }),
    jwk,
    ...(runtime ? { runtimeData: 'nonce' } : {}),
  });
  return sevSnpVmClaims({ report, runtimeData, azureIdKeyDigests: AZURE });
}

export function tdxVm(reportData: Uint8Array = new Uint8Array()): JsonObject {
  return tdxVmClaims({ reportData });
}

/** A token of the instance, signed by its key. */
export function tokenOf(claims: JsonObject = azureVm(), making: TokenMaking = {}): string {
  const common = { ...registeredClaims(ISSUER, AT, 28_800), 'x-ms-policy-hash': POLICY_HASH, 'x-ms-ver': '1.0' };
  const header = { jku: `${ISSUER}/certs`, kid: SIGNER.kid, typ: 'JWT' };
  const genuine = { header, claims: { ...common, ...claims }, key: SIGNER.key.privateKey, algorithm: 'RS256' };
  return makeToken(genuine, making);
}

export interface Judging {
  readonly at?: Date;
  readonly leewaySeconds?: number;
  readonly issuer?: Partial<MaaIssuer>;
  readonly keys?: Sourced<TokenKeySet> | Unavailable | null;
  readonly nonce?: Uint8Array;
  readonly jwk?: JsonObject | null;
  readonly reports?: SnpReportVerifier;
  readonly refuseProducts?: readonly SnpProduct[];
}

export function maaVerifier({
  issuer,
  leewaySeconds = 60,
  reports,
  refuseProducts = [],
}: Judging = {}): MaaTokenVerifier {
  const accepted: MaaIssuer = {
    issuer: ISSUER,
    policyHashes: new Set([POLICY_HASH]),
    policySigners: null,
    teeSigner: 'any',
    ...issuer,
  };
  const issuers = new Map([[accepted.issuer, accepted]]);
  const lab = new AmdSnpReportVerifier({ refuseProducts: new Set(), pins: PKI.pins() });
  return new MaaTokenVerifier({ issuers, leewaySeconds, refuseProducts: new Set(refuseProducts) }, reports ?? lab);
}

/** Verifies a token as the evidence of a request. */
export async function verifyMaa(token: string, judging: Judging = {}): Promise<TokenVerification> {
  const { at = AT, nonce, jwk = null, keys = keySetOf(maaJwk(SIGNER)) } = judging;
  const binding = nonce === undefined ? null : expectedBinding(nonce, jwk);
  const endorsements = { snp: null, tokenKeys: keys };
  const found = await maaVerifier(judging).open({ type: 'maa-token', token }).verify({ at, endorsements, binding });
  if (!('vouchesForParavisor' in found)) throw new Error('not the verification of a token');
  return found as TokenVerification;
}
