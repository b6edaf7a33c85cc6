import { parseCanonicalEventLog } from '../../src/boot/format/canonical-event-log.js';
import { parseEventLog } from '../../src/boot/format/event-log.js';
import { parseTcgEventLog } from '../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT, type RegisterLayout, RTMR_LAYOUT } from '../../src/boot/register-layout.js';
import { initialValue, replay } from '../../src/boot/replay.js';
import { hex } from '../../src/core/bytes.js';
import { ConfigurationError, FormatError } from '../../src/core/errors.js';
import { dnsNames } from '../../src/formats/alternative-names.js';
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
    layout.indices.map((index) => [index, hex(replayed.get(index) ?? initialValue(index, length, layout))]),
  );
  return verifyEventLog(checksAt(''), [log], { layout, bank, values });
}

/** Every parser that meets bytes of a caller, a vendor or an operator, by name. */
export const PARSERS = {
  'snp-report': parseSnpReport,
  'snp-certificate-table': parseSnpCertificateTable,
  'hcl-report': parseHclReport,
  'runtime-claims': (bytes) => {
    const object = readRuntimeObject(bytes);
    return object.ok ? readRuntimeClaims(object.value) : object;
  },
  'tpm-quote': (bytes) => [parseTpmsAttestHeader(bytes), parseTpmsQuote(bytes)],
  'tpm-certify': parseTpmsCertify,
  'tpm-public': parseTpm2bPublic,
  'tpm-quote-shown': (message) => describeTpmQuote({ message, signature: Buffer.alloc(256), pcrs: new Map() }, ''),
  'tpm-key-shown': (bytes) =>
    describeCertifiedKey({ info: bytes, signature: Buffer.alloc(256), publicArea: bytes }, ''),
  'go-tpm-attestation': parseGoTpmAttestation,
  'tpm-signature': (bytes) => parseTpmSignature(bytes, 256),
  'event-log': (bytes) => parseTcgEventLog(bytes, EVENT_LOG_BYTES),
  'canonical-event-log': (bytes) => parseCanonicalEventLog(bytes, EVENT_LOG_BYTES),
  'event-log-judged': (bytes) => [judgeLog(bytes, PCR_LAYOUT, 'sha256'), judgeLog(bytes, RTMR_LAYOUT, 'sha384')],
  'event-log-shown': (bytes) => describeCcel(bytes, '', EVENT_LOG_BYTES),
  'td-quote': parseTdQuote,
  'td-quote-shown': (bytes) => describeTdQuote(bytes, ''),
  'td-report': parseTdReport,
  'tcb-info': (bytes) => parseTcbInfo(text(bytes)),
  'qe-identity': (bytes) => parseQeIdentity(text(bytes)),
  'collateral-file': parseCollateralFile,
  certificate: (bytes) => parseVekExtensions(parseCertificate(bytes, { allowZeroSerial: true })),
  'pck-extension': (bytes) => parsePckExtension(parseCertificate(bytes)),
  'dns-names': (bytes) => dnsNames(parseCertificate(bytes)),
  crl: parseCrl,
  'pem-chain': (bytes) => parsePemCertificates(text(bytes), 'cert_chain'),
  jws: (bytes) => parseClaimsSet(parseJws(text(bytes)).payload),
  'token-shown': (bytes) => describeToken(text(bytes), ''),
  'key-set': parseKeySet,
  json: (bytes) => parseStrictJson(bytes),
  request: (bytes) => readVerifyRequest(bytes),
  base64: (bytes) => decodeBase64(text(bytes)),
  hex: (bytes) => decodeHex(text(bytes)),
  policy: (bytes) => parsePolicy(Buffer.from(bytes).toString('utf8')),
} as const satisfies { readonly [name: string]: (bytes: Uint8Array) => unknown };

export type ParserName = keyof typeof PARSERS;

export const PARSER_NAMES = Object.keys(PARSERS) as readonly ParserName[];

/** Tries one input. Returns what was thrown that is not a declared error, null if nothing was. */
export function undeclaredError(name: ParserName, bytes: Uint8Array): unknown {
  const parse: (bytes: Uint8Array) => unknown = PARSERS[name];
  try {
    parse(bytes);
    return null;
  } catch (error) {
    return error instanceof FormatError || error instanceof ConfigurationError ? null : error;
  }
}
