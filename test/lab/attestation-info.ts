import type { AzSnpVtpmEvidence, AzTdxVtpmEvidence, CertifiedKeyInput, TpmEvidence } from '../../src/core/evidence.js';
import type { JsonObject, JsonValue } from '../../src/core/json.js';
import { type Native, wholeHclReport } from './native.js';
import { pemOf } from './pki.js';

/** Where the parts of a paravisor's report are. */
const HARDWARE = { start: 0x20, end: 0x4c0 } as const;
const CLAIMS_SIZE = 0x4d0;
const CLAIMS = 0x4d4;

export interface AttestationInfoOptions {
  /** Public area of the attestation key, TPM2B_PUBLIC. */
  readonly akPublic?: Uint8Array;
  /** The ephemeral key; none if left out. */
  readonly certifiedKey?: CertifiedKeyInput;
  /** `object`: SnpReport and VcekCertChain as they are, not as text. */
  readonly proof?: 'text' | 'object';
  /** Members of attestationInfo, TpmInfo, IsolationInfo and Evidence in place of the genuine ones; undefined: absent. */
  readonly members?: Changed;
  readonly tpmInfo?: Changed;
  readonly isolationInfo?: Changed;
  readonly evidence?: Changed;
}

type Changed = { readonly [member: string]: JsonValue | undefined };
type AzureEvidence = Native<AzSnpVtpmEvidence> | Native<AzTdxVtpmEvidence> | TpmEvidence;

/** attestationInfo as Azure's guest attestation client makes it of what else is native evidence. */
export function attestationInfo(native: AzureEvidence, options: AttestationInfoOptions = {}): JsonObject {
  return changed(
    {
      AttestationProtocolVersion: '2.0',
      OSType: base64(Buffer.from('Linux')),
      OSDistro: base64(Buffer.from('Ubuntu')),
      OSVersionMajor: 24,
      OSVersionMinor: 4,
      OSBuild: base64(Buffer.from('NotApplication')),
      TcgLogs: base64(native.eventLog?.[0] ?? new Uint8Array()),
      ClientPayload: { nonce: base64(Buffer.from('a nonce of its own')) },
      TpmInfo: changed(tpmInfo(native, options), options.tpmInfo),
      IsolationInfo: changed(isolationInfo(native, options), options.isolationInfo),
    },
    options.members,
  );
}

/** The same as the member `evidence` of a request: the JSON itself, or in base64url as the client sends it. */
export function azureGuestEvidence(
  native: AzureEvidence,
  options: AttestationInfoOptions & { readonly form?: 'object' | 'text' } = {},
): JsonObject {
  const info = attestationInfo(native, options);
  const value = options.form === 'text' ? Buffer.from(JSON.stringify(info)).toString('base64url') : info;
  return { type: native.type, dialect: 'azure-guest', value };
}

function tpmInfo({ tpmQuote, ak }: AzureEvidence, { akPublic, certifiedKey }: AttestationInfoOptions): JsonObject {
  const pcrs = [...(tpmQuote.pcrs.get('sha256') ?? [])];
  return {
    ...(ak !== null && 'der' in ak.certificate ? { AikCert: base64(ak.certificate.der) } : {}),
    ...(akPublic === undefined ? {} : { AikPub: base64(akPublic) }),
    PcrQuote: base64(tpmQuote.message),
    PcrSignature: base64(tpmQuote.signature),
    PcrSet: pcrs.map(([index]) => index),
    PCRs: pcrs.map(([Index, value]) => ({ Index, Digest: base64(value) })),
    ...(certifiedKey === undefined
      ? {}
      : {
          EncKeyPub: base64(certifiedKey.publicArea),
          EncKeyCertifyInfo: base64(certifiedKey.info),
          EncKeyCertifyInfoSignature: base64(certifiedKey.signature),
        }),
  };
}

function isolationInfo(native: AzureEvidence, options: AttestationInfoOptions): JsonObject {
  if (native.type === 'tpm') return { Type: 'TrustedLaunch' };
  const report = Buffer.from(wholeHclReport(native));
  const claims = report.subarray(CLAIMS, CLAIMS + report.readUInt32LE(CLAIMS_SIZE));
  const proof =
    native.type === 'az-tdx-vtpm'
      ? base64(native.tdQuote)
      : snpProof(native, report.subarray(HARDWARE.start, HARDWARE.end), options);
  return {
    Type: native.type === 'az-tdx-vtpm' ? 'Tdx' : 'SevSnp',
    Evidence: changed({ Proof: proof, RunTimeData: base64(claims) }, options.evidence),
  };
}

function snpProof(
  { endorsements: { vek, chain } }: Pick<AzSnpVtpmEvidence, 'endorsements'>,
  report: Uint8Array,
  { proof = 'text' }: AttestationInfoOptions,
): JsonValue {
  const certificates = vek === null ? null : `${'pem' in vek ? vek.pem : pemOf(vek.der)}${chain ?? ''}`;
  const document = {
    SnpReport: Buffer.from(report).toString('base64url'),
    ...(certificates === null ? {} : { VcekCertChain: base64(Buffer.from(certificates)) }),
  };
  return proof === 'object' ? document : base64(Buffer.from(JSON.stringify(document)));
}

function changed(genuine: JsonObject, members: Changed = {}): JsonObject {
  const entries = Object.entries({ ...genuine, ...members }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as JsonObject;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
