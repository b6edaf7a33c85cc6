import { parseFirmwareEventLog } from '../../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../../../src/boot/register-layout.js';
import { replay } from '../../../src/boot/replay.js';
import type { EndorsementSet } from '../../../src/core/endorsement.js';
import type { Evidence } from '../../../src/core/evidence.js';
import type { EvidenceVerifier } from '../../../src/core/verification.js';
import { hashed } from '../../../src/crypto/digest.js';
import { parseKeySet } from '../../../src/formats/json-web-key-set.js';
import { ItaTokenVerifier } from '../../../src/tee/ita/ita-token-verifier.js';
import type { MaaIssuer } from '../../../src/tee/maa/issuer-policy.js';
import { MaaTokenVerifier } from '../../../src/tee/maa/maa-token-verifier.js';
import type { AkRoots } from '../../../src/tee/shared/attestation-key/ak-roots.js';
import { AmdSnpReportVerifier } from '../../../src/tee/snp/snp-report-verifier.js';
import { type Judged, verifiersOf } from '../../judge.js';
import { measureInto } from '../../lab/event-log-builder.js';
import { createAzureAkPki, createTrustedLaunchMachine } from '../../lab/index.js';
import {
  azSnpEvidenceOf,
  azTdxEvidenceOf,
  nonceOf,
  type ReadFile,
  realAkOf,
  realChains,
  snpEvidenceOf,
} from '../../real-evidence.js';
import { collateralOf, quoteFileOf } from '../../real-tdx-evidence.js';
import { applyRecipe, haveVectors, type Recipe, readVector, type Vector, vectors } from '../../vectors.js';

/** Real evidence of every family, as it is or as a recipe changes it, with all that it is judged with. */

/** One piece of evidence, and all that it is judged with. */
export interface Case {
  readonly evidence: Evidence;
  readonly nonce: Uint8Array | null;
  readonly judged: Omit<Judged, 'policies'>;
}

/** @param recipe null: the evidence as it is */
export type MakeCase = (entry: Vector, recipe?: Recipe | null) => Case;

/** Azure's VMs whose quote was recorded with its nonce. */
export const AZURE = haveVectors
  ? vectors('az-snp-vtpm', 'az-tdx-vtpm').filter(({ expect: { facts } }) => facts.tpmQuote)
  : [];
export const MRTDS = AZURE.flatMap(({ expect: { facts } }) =>
  facts.tdx === undefined ? [] : [facts.tdx.mrTd as string],
);

export const SERVICE_TDS = (haveVectors ? vectors('tdx') : []).flatMap(({ expect: { facts } }) =>
  /[1-9a-f]/.test(facts.mrServiceTd ?? '') ? [facts.mrServiceTd as string] : [],
);

function readerOf(recipe: Recipe | null): ReadFile {
  return (file) => (recipe === null ? readVector(file) : applyRecipe(recipe, file));
}

/** The time of the vector, where the recipe has no other. */
function timeOf({ verifyAt }: Vector, recipe: Recipe | null): Date {
  return new Date(recipe?.verifyAt ?? verifyAt ?? '');
}

function fileOf({ id, files }: Vector, ending: string): string {
  const file = files.find((name) => name.endsWith(ending));
  if (file === undefined) throw new Error(`${id} has no ${ending}`);
  return file;
}

function collateralSet(evidence: Evidence): EndorsementSet {
  const collateral = 'collateral' in evidence ? evidence.collateral : null;
  return { snp: null, tdx: collateral === null ? null : { value: collateral, origin: 'evidence' } };
}

/** AMD's chains, and its own CRLs. */
function amdSet(signingKey: 'vcek' | 'vlek' = 'vcek'): EndorsementSet {
  const { snp } = realChains(signingKey);
  if (snp === null) throw new Error('no chains');
  const crl = (name: string) => ({ value: hashed(readVector(`amd-crl/${name}.crl`)), origin: 'store' as const });
  const crls = new Map([
    ['Milan', crl('milan-6')],
    ['Genoa', crl('genoa-4')],
  ] as const);
  return { snp: { ...snp, crls } };
}

export function azureCase(entry: Vector, recipe: Recipe | null = null): Case {
  const read = readerOf(recipe);
  const isSnp = entry.family === 'az-snp-vtpm';
  const hasAk = entry.files.some((file) => file.endsWith('.ak-cert.der'));
  const evidence: Evidence = isSnp
    ? azSnpEvidenceOf(entry, read)
    : { ...azTdxEvidenceOf(entry, read), ak: hasAk ? realAkOf(entry, read) : null };
  const endorsements = isSnp ? amdSet() : collateralSet(evidence);
  const verifiers = verifiersOf(undefined, { mrtds: MRTDS });
  return { evidence, nonce: nonceOf(entry), judged: { at: timeOf(entry, recipe), endorsements, verifiers } };
}

/** The nonce of bare evidence is what its guest put there; null if it put nothing there. */
function reportDataOf({ expect: { facts } }: Vector): Uint8Array | null {
  const bytes = Buffer.from(facts.reportData, 'hex');
  return bytes.every((byte) => byte === 0) ? null : bytes;
}

export function snpCase(entry: Vector, recipe: Recipe | null = null): Case {
  const endorsements = amdSet(entry.files.some((file) => file.endsWith('.vlek.der')) ? 'vlek' : 'vcek');
  return {
    evidence: snpEvidenceOf(entry, readerOf(recipe)),
    nonce: reportDataOf(entry),
    judged: { at: timeOf(entry, recipe), endorsements, verifiers: verifiersOf() },
  };
}

/** Bare TDs: one with its event log. */
export function tdCase(entry: Vector, recipe: Recipe | null = null): Case {
  const read = readerOf(recipe);
  const log = entry.files.find((file) => file.endsWith('.ccel-data.bin'));
  const evidence: Evidence = {
    type: 'tdx',
    quote: read(quoteFileOf(entry)),
    runtimeData: null,
    collateral: collateralOf(read(`collateral/${entry.expect.facts.collateral.from}.json`)),
    ccel: log === undefined ? null : read(log),
  };
  const endorsements = collateralSet(evidence);
  return {
    evidence,
    nonce: reportDataOf(entry),
    judged: { at: timeOf(entry, recipe), endorsements, verifiers: verifiersOf() },
  };
}

/** Collateral by a TD that it is of. */
export function collateralCase(entry: Vector, recipe: Recipe | null = null): Case {
  const td = vectors('tdx').find(({ expect: { facts } }) => facts.collateral?.from === entry.id);
  if (td === undefined) throw new Error(`no quote for ${entry.id}`);
  return tdCase(td, recipe);
}

const SHARED_PROVIDER = 'https://sharedweu.weu.attest.azure.net';

function maaVerifier(issuer: string): MaaTokenVerifier {
  const accepted: MaaIssuer = { issuer, policyHashes: 'shared', policySigners: null, teeSigner: 'any' };
  const reports = new AmdSnpReportVerifier({ refuseProducts: new Set() });
  return new MaaTokenVerifier(
    { issuers: new Map([[issuer, accepted]]), leewaySeconds: 0, refuseProducts: new Set() },
    reports,
  );
}

function itaVerifier(issuer: string): ItaTokenVerifier {
  const accepted = { issuer, roots: null, policyIds: new Set<string>() };
  return new ItaTokenVerifier({ issuers: new Map([[issuer, accepted]]), leewaySeconds: 0 });
}

function signedCase(
  verifier: MaaTokenVerifier | ItaTokenVerifier,
  token: Uint8Array,
  keys: Uint8Array,
  at: Date,
): Case {
  const { evidenceType: type } = verifier;
  const tokenKeys = { value: { keys: parseKeySet(keys).keys, crls: [] }, origin: 'store' } as const;
  return {
    evidence: { type, token: Buffer.from(token).toString('utf8').trim() },
    nonce: null,
    judged: { at, endorsements: { snp: null, tokenKeys }, verifiers: new Map([[type, verifier as EvidenceVerifier]]) },
  };
}

/** A token by itself, of an issuer that is relied on. */
export function tokenCase(entry: Vector, recipe: Recipe | null = null): Case {
  const read = readerOf(recipe);
  const { iss } = entry.expect.facts;
  const verifier = entry.family === 'maa-jwt' ? maaVerifier(iss) : itaVerifier(iss);
  return signedCase(verifier, read(fileOf(entry, '.jwt')), read(fileOf(entry, '.jwks.json')), timeOf(entry, recipe));
}

/** A release response of Key Vault, sent as if it were a token of Azure Attestation. */
export function releaseCase(entry: Vector, recipe: Recipe | null = null): Case {
  const keys = readVector('maa-jwt/maa-azurevm-snp-weu-2022.jwks.json');
  return signedCase(maaVerifier(SHARED_PROVIDER), readerOf(recipe)(fileOf(entry, '.jws')), keys, timeOf(entry, recipe));
}

export const LAB_TIME = new Date('2026-06-01T12:00:00Z');
const NONCE = Buffer.alloc(32, 7);
const PKI = createAzureAkPki({ at: LAB_TIME });
const machine = await createTrustedLaunchMachine({ pki: PKI });
/** What certifies the vTPM of `logCase`. */
export const LAB_AK_ROOTS: AkRoots = { azure: PKI.pins, configured: new Set(), paravisorsSince: null };
const ofLab = verifiersOf(undefined, { akRoots: LAB_AK_ROOTS });

/** Real logs with digests of SHA-256. */
export const LOGS = haveVectors
  ? vectors('tpm-eventlog').filter(({ expect: { facts } }) => facts.log.algs.includes('sha256'))
  : [];

/**
 * A machine of the lab whose PCRs are what a real log replays to; it sends that log, or what a recipe makes of it. Where the
 * log has no digests of SHA-256, the PCRs are those of another.
 */
export function logCase(entry: Vector, recipe: Recipe | null = null): Case {
  const fileIn = ({ files }: Vector) => files.find((name) => name.includes('evlog')) ?? '';
  const measured = LOGS.find(({ id }) => id === entry.id) ?? LOGS[0];
  const { events } = parseFirmwareEventLog(readVector(fileIn(measured ?? entry)), 2 ** 20);
  measureInto(machine.vtpm, []);
  for (const [index, value] of replay(events, 'sha256', PCR_LAYOUT).values) machine.vtpm.setPcr('sha256', index, value);
  const file = fileIn(entry);
  const evidence = machine.evidence({ nonce: NONCE, eventLog: [readerOf(recipe)(file)] });
  return { evidence, nonce: NONCE, judged: { at: LAB_TIME, verifiers: ofLab } };
}
