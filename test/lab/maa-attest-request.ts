import { createHash, X509Certificate } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import type { AmdPki } from './amd-pki.js';
import { isSignedSnpReport, LAB_SNP_REPORT_LENGTH, readSnpReport } from './snp-report-reader.js';
import { readTdQuote } from './td-quote-reader.js';

/** An answer of the service that says no, in its words. */
export class MaaRefusal extends Error {
  readonly status: number;
  /** In the body, and in the header `x-ms-error-code`. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A call of attest/SevSnpVm that keeps the rules. */
export interface SevSnpVmRequest {
  readonly report: Uint8Array;
  /** Bytes that the token is to show as JSON; null if there are none, or they are opaque. */
  readonly runtimeJson: Uint8Array | null;
  readonly inittimeJson: Uint8Array | null;
  readonly nonce: string | null;
  /** A policy to try out: the token that comes of it is not signed. */
  readonly draftPolicy: string | null;
}

/** `at`: the instant at which certificates are judged. */
export interface TrustedVendor {
  readonly pki: AmdPki;
  readonly at: Date;
}

/**
 * Reads the body and checks what the service checks before it issues a token: encodings, the chain up to the vendor's
 * root, the report's signature, and that the report is about the data that came with it.
 *
 * @throws {MaaRefusal}
 */
export function readSevSnpVmRequest(body: string, vendor: TrustedVendor): SevSnpVmRequest {
  const request = objectFrom(body, 'the request');
  const evidence = objectFrom(utf8(bytesOf(request, 'report')), 'report');
  const report = bytesOf(evidence, 'SnpReport');
  if (report.byteLength !== LAB_SNP_REPORT_LENGTH) refuse('SnpReport does not have the length of a report');
  requireChain(report, utf8(bytesOf(evidence, 'VcekCertChain')), vendor);
  const { reportData, hostData } = readSnpReport(report);
  // the service compares the first half of REPORT_DATA alone
  const runtime = attestedData(request, 'runtimeData', reportData.slice(0, 64));
  const inittime = attestedData(request, 'initTimeData', hostData);
  const draftPolicy = textOf(request, 'draftPolicyForAttestation');
  return { report, runtimeJson: runtime, inittimeJson: inittime, nonce: textOf(request, 'nonce'), draftPolicy };
}

/** A call of attest/TdxVm that keeps the rules. */
export interface TdxVmRequest {
  /** The content of the quote. */
  readonly td: JsonObject;
  readonly runtimeJson: Uint8Array | null;
  readonly nonce: string | null;
}

/**
 * Reads the body and checks encodings, and that the quote is about the data that came with it. What makes a quote
 * genuine is not checked: the lab has no second verifier for it.
 *
 * @throws {MaaRefusal}
 */
export function readTdxVmRequest(body: string): TdxVmRequest {
  const request = objectFrom(body, 'the request');
  const bytes = bytesOf(request, 'quote');
  const { claims, reportData } = reading('quote', () => readTdQuote(bytes));
  if ('draftPolicyForAttestation' in request) refuse('a TD is judged by no draft policy');
  if ('initTimeData' in request) refuse('the lab has no TD with init time data');
  const runtimeJson = attestedData(request, 'runtimeData', reportData.slice(0, 64));
  return { td: claims, runtimeJson, nonce: textOf(request, 'nonce') };
}

type Members = Readonly<Record<string, unknown>>;

function requireChain(report: Uint8Array, pem: string, { pki, at }: TrustedVendor): void {
  const [vcek, ask, ark, more] = certificatesOf(pem);
  if (vcek === undefined || ask === undefined || ark === undefined || more !== undefined) {
    refuse('VcekCertChain does not hold the certificates of VCEK, ASK and ARK');
  }
  const rootPin = createHash('sha256')
    .update(ark.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  const isKnown = [...pki.pins().values()].some((pins) => pins.has(rootPin));
  if (!isKnown || !ark.verify(ark.publicKey)) refuse('the ARK of VcekCertChain is not one of AMD');
  if (!ask.verify(ark.publicKey) || !vcek.verify(ask.publicKey)) refuse('VcekCertChain does not verify');
  const isValid = (one: X509Certificate) => new Date(one.validFrom) <= at && at <= new Date(one.validTo);
  if (![vcek, ask, ark].every(isValid)) refuse('a certificate of VcekCertChain is not valid now');
  if (!isSignedSnpReport(report, vcek.publicKey)) refuse('the signature of SnpReport does not verify');
}

function certificatesOf(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return reading('VcekCertChain', () => blocks.map((block) => new X509Certificate(block)));
}

/** `runtimeData` or `initTimeData`: the report has to hold the hash. @returns the bytes, if the token shows them */
function attestedData(request: Members, name: string, expectedHash: string): Uint8Array | null {
  const member = request[name] ?? null;
  if (member === null) return null;
  if (typeof member !== 'object') refuse(`${name} is not an object`);
  const data = bytesOf(member as Members, 'data');
  const dataType = (member as Members)['dataType'];
  if (dataType !== 'JSON' && dataType !== 'Binary') refuse(`dataType of ${name} is neither JSON nor Binary`);
  const hash = createHash('sha256').update(data).digest('hex');
  if (hash !== expectedHash) refuse(`the hash of ${name} is not the one in the report`);
  if (dataType === 'Binary') return null;
  objectFrom(utf8(data), name);
  return data;
}

function objectFrom(json: string, what: string): Members {
  const value = reading(what, (): unknown => JSON.parse(json));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(`${what} is not a JSON object`);
  return value as Members;
}

const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;

function bytesOf(members: Members, name: string): Uint8Array {
  const text = members[name];
  if (typeof text !== 'string' || !BASE64URL.test(text)) return refuse(`${name} is not base64url`);
  return Buffer.from(text, 'base64url');
}

function textOf(members: Members, name: string): string | null {
  const value = members[name] ?? null;
  if (value !== null && typeof value !== 'string') refuse(`${name} is not a string`);
  return value;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch {
    return refuse(`${what} cannot be read`);
  }
}

function refuse(message: string): never {
  throw new MaaRefusal(400, 'InvalidParameter', message);
}
