import type { JsonObject } from '../../src/core/json.js';
import { wireCollateral, wireEvidence } from '../lab/index.js';
import { azSnpEvidenceOf, azTdxEvidenceOf, type ReadFile, realAkOf, snpEvidenceOf } from '../real-evidence.js';
import { collateralOf, quoteFileOf } from '../real-tdx-evidence.js';
import { type Vector, vectors } from '../vectors.js';
import { base64Url } from './body.js';

/** A vector as a request: which evidence it makes, under which nonce, judged when. */
export interface Real {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly nonce: Uint8Array | null;
  readonly files: readonly string[];
  readonly evidence: (read: ReadFile) => JsonObject;
}

/** Without its text after the end, of which nothing but a refusal comes. */
const TEXT_AT_END = { id: 'tdx-v4-spr-2023', length: 39 };
let sets: ReadonlyMap<string, Real> | null = null;

export function realSets(): ReadonlyMap<string, Real> {
  sets ??= new Map(
    vectors('snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm', 'maa-jwt', 'ita-jwt', 'akv-policy')
      .flatMap(realOrNone)
      .map((real) => [real.id, real]),
  );
  return sets;
}

export function realOf(id: string): Real {
  const found = realSets().get(id);
  if (found === undefined) throw new Error(`no evidence is made of ${id}`);
  return found;
}

/** Vectors without evidence in them, such as key sets, make none. */
function realOrNone(entry: Vector): readonly Real[] {
  const { id, family, files } = entry;
  const common = { id, at: entry.verifyAt ?? '2026-01-15T12:00:00Z', files, nonce: nonceOf(entry) };
  const token = files.find((file) => file.endsWith('.jwt') || file.endsWith('.jws'));
  if (token !== undefined) return [{ ...common, ...tokenOf(token, family === 'ita-jwt' ? 'ita-token' : 'maa-token') }];
  if (files.some((file) => file.endsWith('.certs.pem'))) return [{ ...common, ...reportOfOtherChip(files) }];
  switch (family) {
    case 'snp':
      return [{ ...common, type: family, evidence: (read) => wireEvidence(snpEvidenceOf(entry, read)) }];
    case 'az-snp-vtpm':
      return [{ ...common, type: family, evidence: (read) => wireEvidence(azSnpEvidenceOf(entry, read)) }];
    case 'tdx':
      return [{ ...common, ...tdOf(entry) }];
    case 'az-tdx-vtpm':
      return [{ ...common, ...azureTdOf(entry) }];
    default:
      return [];
  }
}

function tokenOf(file: string, type: string): Pick<Real, 'type' | 'evidence'> {
  // One bit changed in a text makes bytes that are no UTF-8 any more.
  return { type, evidence: (read) => ({ type, token: Buffer.from(read(file)).toString('latin1').trim() }) };
}

function reportOfOtherChip([hcl = '', pem = '']: readonly string[]): Pick<Real, 'type' | 'evidence'> {
  const evidence = (read: ReadFile) => {
    const [vek = '', ...chain] = Buffer.from(read(pem))
      .toString('utf8')
      .split(/(?=-----BEGIN)/);
    const report = base64Url(read(hcl).subarray(32, 32 + 1184));
    return { type: 'snp', report, endorsements: { vek, chain: chain.join('') } };
  };
  return { type: 'snp', evidence };
}

function tdOf(entry: Vector): Pick<Real, 'type' | 'files' | 'evidence'> {
  const collateral = `collateral/${entry.expect.facts.collateral?.from ?? 'collateral-b0c06f-2025-06'}.json`;
  const log = entry.files.find((file) => file.endsWith('.ccel-data.bin'));
  const evidence = (read: ReadFile) => {
    const quote = read(quoteFileOf(entry));
    const cut = entry.id === TEXT_AT_END.id ? quote.subarray(0, quote.byteLength - TEXT_AT_END.length) : quote;
    return {
      type: 'tdx',
      quote: base64Url(cut),
      collateral: collateralIn(collateral, read),
      ...(log === undefined ? {} : { ccel: base64Url(read(log)) }),
    };
  };
  return { type: 'tdx', files: [...entry.files, collateral], evidence };
}

/** One changed byte can make the file no JSON, which says nothing of collateral: it is then left out. */
function collateralIn(file: string, read: ReadFile): JsonObject {
  try {
    return wireCollateral(collateralOf(read(file)));
  } catch {
    return {};
  }
}

function azureTdOf(entry: Vector): Pick<Real, 'type' | 'evidence'> {
  const type = 'az-tdx-vtpm';
  const [hcl = ''] = entry.files;
  if (entry.files.length === 1) {
    const tpmQuote = { message: '', signature: '', pcrs: {} };
    return { type, evidence: (read) => ({ type, hclReport: base64Url(read(hcl)), tpmQuote }) };
  }
  const hasAk = entry.files.some((file) => file.endsWith('.ak-cert.der'));
  const evidence = (read: ReadFile) => {
    return wireEvidence({ ...azTdxEvidenceOf(entry, read), ak: hasAk ? realAkOf(entry, read) : null });
  };
  return { type, evidence };
}

function nonceOf({ expect: { facts } }: Vector): Uint8Array | null {
  const hex: string | undefined = facts.tpmQuote?.extraData ?? facts.reportData;
  return hex === undefined || !/^[0-9a-f]{16,128}$/i.test(hex) ? null : Buffer.from(hex, 'hex');
}
