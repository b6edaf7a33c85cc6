import { parseCanonicalEventLog } from '../../src/boot/format/canonical-event-log.js';
import { parseEventLog } from '../../src/boot/format/event-log.js';
import { parseTcgEventLog } from '../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT, type RegisterLayout, RTMR_LAYOUT } from '../../src/boot/register-layout.js';
import { initialValue, replay } from '../../src/boot/replay.js';
import { hex as toHex } from '../../src/core/bytes.js';
import { dnsNames as dnsNamesOf } from '../../src/formats/alternative-names.js';
import { decodeBase64, decodeHex } from '../../src/formats/base64.js';
import { parseKeySet } from '../../src/formats/json-web-key-set.js';
import { parseClaimsSet, parseJws } from '../../src/formats/jws.js';
import { parsePemCertificates } from '../../src/formats/pem.js';
import { parseStrictJson } from '../../src/formats/strict-json.js';
import { parseCertificate } from '../../src/formats/x509-certificate.js';
import { parseCrl } from '../../src/formats/x509-crl.js';
import { describeCertifiedKey, describeTpmQuote } from '../../src/inspect/describe-azure-evidence.js';
import { describeCcel } from '../../src/inspect/describe-event-log.js';
import { describeTdQuote } from '../../src/inspect/describe-td-quote.js';
import { describeToken } from '../../src/inspect/describe-token.js';
import { parsePolicy } from '../../src/policy/document/policy-document.js';
import { parseHclReport } from '../../src/tee/azure/format/hcl-report.js';
import { checksAt } from '../../src/tee/catalogue.js';
import { verifyEventLog } from '../../src/tee/shared/event-log/event-log.js';
import { readRuntimeClaims, readRuntimeObject } from '../../src/tee/shared/format/runtime-claims.js';
import { parseVekExtensions } from '../../src/tee/snp/amd/vek-extensions.js';
import { parseSnpCertificateTable } from '../../src/tee/snp/format/snp-certificate-table.js';
import { parseSnpReport } from '../../src/tee/snp/format/snp-report.js';
import { parseTdQuote } from '../../src/tee/tdx/format/td-quote.js';
import { parseTdReport } from '../../src/tee/tdx/format/td-report.js';
import { parseCollateralFile } from '../../src/tee/tdx/intel/collateral-file.js';
import { parsePckExtension } from '../../src/tee/tdx/intel/pck-extension.js';
import { parseQeIdentity } from '../../src/tee/tdx/intel/qe-identity.js';
import { parseTcbInfo } from '../../src/tee/tdx/intel/tcb-info.js';
import { parseGoTpmAttestation } from '../../src/tee/tpm/format/go-tpm-attestation.js';
import { parseTpmsAttestHeader, parseTpmsCertify, parseTpmsQuote } from '../../src/tee/tpm/format/tpms-attest.js';
import { parseTpm2bPublic } from '../../src/tee/tpm/format/tpmt-public.js';
import { parseTpmSignature } from '../../src/tee/tpm/format/tpmt-signature.js';
import { readVerifyRequest } from '../../src/wire/read-requests.js';

/** As `limits.eventLogBytes` where nothing is configured. */
const EVENT_LOG_BYTES = 2 ** 20;

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Judges a log of any format beside registers that hold what it replays to, so that all of it is looked at. */
function judgeLog(bytes: Uint8Array, layout: RegisterLayout, bank: 'sha256' | 'sha384') {
  const log = parseEventLog(bytes, EVENT_LOG_BYTES);
  const replayed = replay(log.events, bank, layout).values;
  const length = bank === 'sha256' ? 32 : 48;
  const values = new Map(
    layout.indices.map((index) => [index, toHex(replayed.get(index) ?? initialValue(index, length, layout))]),
  );
  return verifyEventLog(checksAt(''), [log], { layout, bank, values });
}

// Every parser that meets bytes of a caller, a vendor or an operator. Each export is one, so that a bundle can hold it alone.

export const snpReport = parseSnpReport;
export const snpCertificateTable = parseSnpCertificateTable;
export const hclReport = parseHclReport;
export const runtimeClaims = (bytes: Uint8Array) => {
  const object = readRuntimeObject(bytes);
  return object.ok ? readRuntimeClaims(object.value) : object;
};
export const tpmQuote = (bytes: Uint8Array) => [parseTpmsAttestHeader(bytes), parseTpmsQuote(bytes)];
export const tpmCertify = parseTpmsCertify;
export const tpmPublic = parseTpm2bPublic;
export const tpmQuoteShown = (message: Uint8Array) =>
  describeTpmQuote({ message, signature: Buffer.alloc(256), pcrs: new Map() }, '');
export const tpmKeyShown = (bytes: Uint8Array) =>
  describeCertifiedKey({ info: bytes, signature: Buffer.alloc(256), publicArea: bytes }, '');
export const goTpmAttestation = parseGoTpmAttestation;
export const tpmSignature = (bytes: Uint8Array) => parseTpmSignature(bytes, 256);
export const eventLog = (bytes: Uint8Array) => parseTcgEventLog(bytes, EVENT_LOG_BYTES);
export const canonicalEventLog = (bytes: Uint8Array) => parseCanonicalEventLog(bytes, EVENT_LOG_BYTES);
export const eventLogJudged = (bytes: Uint8Array) => [
  judgeLog(bytes, PCR_LAYOUT, 'sha256'),
  judgeLog(bytes, RTMR_LAYOUT, 'sha384'),
];
export const eventLogShown = (bytes: Uint8Array) => describeCcel(bytes, '', EVENT_LOG_BYTES);
export const tdQuote = parseTdQuote;
export const tdQuoteShown = (bytes: Uint8Array) => describeTdQuote(bytes, '');
export const tdReport = parseTdReport;
export const tcbInfo = (bytes: Uint8Array) => parseTcbInfo(text(bytes));
export const qeIdentity = (bytes: Uint8Array) => parseQeIdentity(text(bytes));
export const collateralFile = parseCollateralFile;
export const certificate = (bytes: Uint8Array) =>
  parseVekExtensions(parseCertificate(bytes, { allowZeroSerial: true }));
export const pckExtension = (bytes: Uint8Array) => parsePckExtension(parseCertificate(bytes));
export const dnsNames = (bytes: Uint8Array) => dnsNamesOf(parseCertificate(bytes));
export const crl = parseCrl;
export const pemChain = (bytes: Uint8Array) => parsePemCertificates(text(bytes), 'cert_chain');
export const jws = (bytes: Uint8Array) => parseClaimsSet(parseJws(text(bytes)).payload);
export const tokenShown = (bytes: Uint8Array) => describeToken(text(bytes), '');
export const keySet = parseKeySet;
export const json = (bytes: Uint8Array) => parseStrictJson(bytes);
export const request = (bytes: Uint8Array) => readVerifyRequest(bytes);
export const base64 = (bytes: Uint8Array) => decodeBase64(text(bytes));
export const hex = (bytes: Uint8Array) => decodeHex(text(bytes));
export const policy = (bytes: Uint8Array) => parsePolicy(Buffer.from(bytes).toString('utf8'));
