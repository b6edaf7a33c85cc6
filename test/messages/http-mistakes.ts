import { createHash } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../src/core/json.js';
import type { HttpCall, HttpMistake, LabEvidence } from './mistake.js';

/** A report of the right length, for mistakes that show before anything of it is read. */
const REPORT = Buffer.alloc(1184, 2).toString('base64url');
const SNP = { type: 'snp', report: REPORT };
/** One whose format is right, for what is read after it. */
const READABLE = Buffer.alloc(1184);
READABLE[0] = 2; // version
READABLE[0x0a] = 2; // bit 17 of POLICY
READABLE[0x34] = 1; // signature algorithm
const READABLE_SNP = { type: 'snp', report: READABLE.toString('base64url') };
const HEX_REPORT = Buffer.from(Array.from({ length: 1184 }, (_, index) => index % 251)).toString('hex');
const azureGuest = (type: string) =>
  `this looks like attestationInfo of an Azure guest, which is sent as {"evidence":{"type":"${type}","dialect":"azure-guest","value":…}}`;
const TRUSTEE =
  'this looks like evidence of a Trustee guest, which is sent as {"evidence":{"type":"az-snp-vtpm","dialect":"trustee","value":…}}';
const NONCE = 'q83vASNFZ4mrze8BI0VniQ';
const TYPES = 'snp, tdx, az-snp-vtpm, az-tdx-vtpm, tpm, maa-token, ita-token';
const STRUCTURES =
  'an SNP report, an SNP extended report, an SNP certificate table, an HCL report, a TD quote, a TDREPORT, a TPM quote, certificates or CRLs in PEM, a certificate in DER, a CRL in DER, a token, an event log, TDX collateral in JSON';
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const PATHS = 'GET /docs lists all paths';
const INSTANT = 'not a time: expected RFC 3339 in UTC, with seconds and Z, such as 2026-01-15T12:00:00Z';
const MEDIA_TYPE = 'the body must be JSON, sent with content-type: application/json';
const NO_KEY = 'no API key was sent: send it as Authorization: Bearer or as X-API-Key, not as both';

/** A caller whose key nobody here has. */
const CALLERS = { ci: { apiKeySha256: 'ab'.repeat(32), expires: '2999-01-01', roles: ['verify'] } };

const KEY = 'k'.repeat(43);
/** Of the caller with that key. */
const NARROW = {
  callers: {
    ci: {
      apiKeySha256: createHash('sha256').update(KEY).digest('hex'),
      expires: '2999-01-01',
      roles: ['verify'],
      policies: ['azure-cvm-baseline'],
      audience: ['https://gate.example'],
    },
  },
};
const AS_CI = { authorization: `Bearer ${KEY}` };

/** A mistake in a body of /verify. */
function inBody(
  title: string,
  given: string,
  body: JsonValue | Uint8Array,
  answer: { readonly code: string; readonly pointer?: string; readonly detail: string },
  configuration?: Readonly<Record<string, unknown>>,
): HttpMistake {
  const call: HttpCall = { target: '/verify', body };
  const action = configuration === undefined ? { call } : { call, configuration };
  return { title, given: `POST /verify ${given}`, action, answer: { status: 400, ...answer } };
}

/** A mistake about the path, its query or the headers. */
function inCall(
  title: string,
  given: string,
  call: HttpCall,
  answer: { readonly status: number; readonly code: string; readonly pointer?: string; readonly detail: string },
  configuration?: Readonly<Record<string, unknown>>,
): HttpMistake {
  return { title, given, action: configuration === undefined ? { call } : { call, configuration }, answer };
}

/** Genuine evidence, with other members beside it. */
function verifyCall(change: (body: JsonObject) => JsonObject | Promise<JsonObject>) {
  return async ({ body }: LabEvidence): Promise<HttpCall> => ({ target: '/verify', body: await change(await body()) });
}

const CALLS: readonly HttpMistake[] = [
  inCall(
    'a path misspelt',
    'POST /verfy',
    { target: '/verfy', body: {} },
    {
      status: 404,
      code: 'not_found',
      detail: 'nothing is at this path; did you mean POST /verify?',
    },
  ),
  inCall(
    'a path with a prefix',
    'POST /api/v1/verify',
    { target: '/api/v1/verify', body: {} },
    {
      status: 404,
      code: 'not_found',
      detail: 'nothing is at this path; did you mean POST /verify?',
    },
  ),
  inCall(
    'a path of something else',
    'GET /attestation',
    { method: 'GET', target: '/attestation' },
    {
      status: 404,
      code: 'not_found',
      detail: `nothing is at this path; ${PATHS}`,
    },
  ),
  inCall(
    'GET on a path that takes a body',
    'GET /verify',
    { method: 'GET', target: '/verify' },
    {
      status: 405,
      code: 'method_not_allowed',
      detail: 'GET is not served at this path: use POST',
    },
  ),
  inCall(
    'POST on a path that takes none',
    'POST /readyz',
    { target: '/readyz', body: {} },
    {
      status: 405,
      code: 'method_not_allowed',
      detail: 'POST is not served at this path: use GET, HEAD',
    },
  ),
  inCall(
    'a slash in the place of a colon',
    'POST /policies/lint',
    { target: '/policies/lint', body: {} },
    {
      status: 405,
      code: 'method_not_allowed',
      detail: 'POST is not served at this path; did you mean POST /policies:lint?',
    },
  ),
  inCall(
    'no content type',
    'POST /verify without content-type',
    { target: '/verify', body: {}, headers: { 'content-type': null } },
    {
      status: 415,
      code: 'unsupported_media_type',
      detail: MEDIA_TYPE,
    },
  ),
  inCall(
    'the content type that curl -d sends by itself',
    'POST /verify with content-type: application/x-www-form-urlencoded',
    { target: '/verify', body: {}, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { status: 415, code: 'unsupported_media_type', detail: MEDIA_TYPE },
  ),
  inCall(
    'another character set',
    'POST /verify with content-type: application/json; charset=iso-8859-1',
    { target: '/verify', body: {}, headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
    {
      status: 415,
      code: 'unsupported_media_type',
      detail: 'the body must be UTF-8: send content-type: application/json with charset=utf-8, or without charset',
    },
  ),
  inCall(
    'a compressed body',
    'POST /verify with content-encoding: gzip',
    { target: '/verify', body: {}, headers: { 'content-encoding': 'gzip' } },
    {
      status: 415,
      code: 'unsupported_media_type',
      detail: 'the body must not be compressed: send it without content-encoding',
    },
  ),
  inCall(
    'a body over the limit',
    'POST /verify with 3 MB',
    { target: '/verify', body: new Uint8Array(3_000_000) },
    { status: 413, code: 'body_too_large', detail: 'the body is over 2097152 bytes (limits.bodyBytes)' },
    { limits: { bodyBytes: 2_097_152 } },
  ),
  inCall(
    'a query parameter that does not exist',
    'POST /verify?enforced=true',
    { target: '/verify?enforced=true', body: { evidence: SNP } },
    {
      status: 400,
      code: 'unknown_property',
      detail: 'unknown query parameter "enforced"; known: enforce, checks, explain',
    },
  ),
  inCall(
    'a query parameter of another call',
    'POST /inspect?explain=tree',
    { target: '/inspect?explain=tree', body: SNP },
    { status: 400, code: 'unknown_property', detail: 'unknown query parameter "explain"; this call has none' },
  ),
  inCall(
    'a query parameter with another value',
    'POST /verify?enforce=yes',
    { target: '/verify?enforce=yes', body: { evidence: SNP } },
    { status: 400, code: 'schema', detail: 'query parameter enforce cannot be "yes"; it can be: true, false' },
  ),
  inCall(
    'a query parameter twice',
    'POST /verify?enforce=true&enforce=true',
    { target: '/verify?enforce=true&enforce=true', body: { evidence: SNP } },
    { status: 400, code: 'schema', detail: 'query parameter enforce appears twice' },
  ),
  inCall(
    'a receipt for nobody',
    'POST /verify with accept: application/eat+jwt, and without audience',
    { target: '/verify', body: { evidence: SNP }, headers: { accept: 'application/eat+jwt' } },
    {
      status: 406,
      code: 'not_acceptable',
      detail: 'a receipt needs an audience: name the relying party in the member audience',
    },
  ),
  inCall(
    'a receipt of a decision about the past',
    'POST /verify with accept: application/eat+jwt {"at":"2026-01-15T12:00:00Z",…}',
    {
      target: '/verify',
      body: { evidence: SNP, audience: 'https://gate.example', at: '2026-01-15T12:00:00Z' },
      headers: { accept: 'application/eat+jwt' },
    },
    { status: 406, code: 'not_acceptable', detail: 'a decision at a past verification time has no receipt' },
  ),
  inCall(
    'an audience that is the name of this service',
    'POST /verify {"audience":"urn:veritee:gate",…}',
    { target: '/verify', body: { evidence: SNP, audience: 'urn:veritee:gate' } },
    {
      status: 400,
      code: 'schema',
      pointer: '/audience',
      detail:
        'names that begin with urn:veritee: are of this service itself: name the relying party, such as https://gate.example',
    },
  ),
  inCall(
    'no API key where callers are configured',
    'POST /verify without Authorization',
    { target: '/verify', body: { evidence: SNP } },
    { status: 401, code: 'unauthorized', detail: NO_KEY },
    { callers: CALLERS },
  ),
  inCall(
    'an API key that nobody has',
    'POST /verify with authorization: Bearer wrong',
    { target: '/verify', body: { evidence: SNP }, headers: { authorization: 'Bearer wrong' } },
    { status: 401, code: 'unauthorized', detail: 'the API key is not known, or is no longer valid' },
    { callers: CALLERS },
  ),
  inCall(
    'a policy that the caller may not use',
    'POST /verify {"policy":"azure-maa-baseline",…} by a caller with policies: [azure-cvm-baseline]',
    { target: '/verify', body: { evidence: SNP, policy: 'azure-maa-baseline' }, headers: AS_CI },
    {
      status: 403,
      code: 'forbidden',
      pointer: '/policy',
      detail: 'this caller may not use the policy "azure-maa-baseline"; allowed: azure-cvm-baseline',
    },
    NARROW,
  ),
  inCall(
    'an audience that the caller may not use',
    'POST /challenges {"audience":"https://other.example"} by a caller with audience: [https://gate.example]',
    { target: '/challenges', body: { audience: 'https://other.example' }, headers: AS_CI },
    {
      status: 403,
      code: 'forbidden',
      pointer: '/audience',
      detail: 'this caller may not use the audience "https://other.example"; allowed: https://gate.example',
    },
    NARROW,
  ),
  inCall(
    'a host name of its own for a service on loopback',
    'POST /verify with host: veritee.internal',
    { target: '/verify', body: { evidence: SNP }, headers: { host: 'veritee.internal' } },
    {
      status: 403,
      code: 'forbidden',
      detail: 'this host name is not served: without callers only localhost, 127.0.0.1 and [::1] are',
    },
  ),
  inCall(
    'a challenge for a type that does not exist',
    'POST /challenges {"evidenceType":"sgx"}',
    { target: '/challenges', body: { evidenceType: 'sgx' } },
    {
      status: 400,
      code: 'type_unsupported',
      pointer: '/evidenceType',
      detail: `this version does not judge evidence of type "sgx"; it judges ${TYPES}`,
    },
  ),
  inCall(
    'an inspection of something else',
    'POST /inspect {"report":"…"}',
    { target: '/inspect', body: { report: REPORT } },
    {
      status: 400,
      code: 'schema',
      pointer: '',
      detail: 'neither evidence, which has the member type, nor a /verify body, which has the member evidence',
    },
  ),
  inCall(
    'an inspection of a type that does not exist',
    'POST /inspect {"type":"eventlog","log":"…"}',
    { target: '/inspect', body: { type: 'eventlog', log: REPORT } },
    {
      status: 400,
      code: 'type_unsupported',
      pointer: '/type',
      detail: `this version does not inspect "eventlog"; it inspects ${TYPES}, event-log, bytes`,
    },
  ),
  inCall(
    'a digest that is cut',
    'GET /endorsements/0123abcd',
    { method: 'GET', target: '/endorsements/0123abcd' },
    {
      status: 400,
      code: 'schema',
      pointer: '/sha256',
      detail: 'not a SHA-256 digest: expected 64 hex digits',
    },
  ),
  inCall(
    'an inspection of bytes that are nothing known',
    'POST /inspect {"type":"bytes","value":"…"}',
    { target: '/inspect', body: { type: 'bytes', value: base64url('hello') } },
    {
      status: 400,
      code: 'type_unsupported',
      pointer: '/value',
      detail: `this is nothing that is recognised; recognised are ${STRUCTURES}`,
    },
  ),
  inCall(
    'an inspection of a report that was encoded twice',
    'POST /inspect {"type":"bytes","value":"…"}',
    { target: '/inspect', body: { type: 'bytes', value: base64url(READABLE_SNP.report) } },
    {
      status: 400,
      code: 'type_unsupported',
      pointer: '/value',
      detail: `it is an SNP report written in base64: turn it into bytes first (base64 -d); recognised are ${STRUCTURES}`,
    },
  ),
  inCall(
    'an inspection of bytes that are another structure',
    'POST /inspect {"type":"bytes","as":"td-quote","value":"…"}',
    { target: '/inspect', body: { type: 'bytes', as: 'td-quote', value: READABLE_SNP.report } },
    {
      status: 400,
      code: 'type_mismatch',
      pointer: '/value',
      detail: 'this is an SNP report, expected a TD quote',
    },
  ),
];

const JSON_TEXTS: readonly HttpMistake[] = [
  inBody('an empty body', '(nothing)', new Uint8Array(), {
    code: 'schema',
    pointer: '',
    detail: 'the body is empty: expected a JSON object',
  }),
  inBody('a raw binary file', '(the bytes of a report)', Uint8Array.of(2, 0, 0, 0, 0x7f, 0xff, 0xfe), {
    code: 'encoding',
    pointer: '',
    detail: 'the body is not UTF-8: bytes are sent as base64 in members of a JSON object',
  }),
  inBody('text that is no JSON', 'evidence=snp', 'evidence=snp', {
    code: 'schema',
    pointer: '',
    detail: 'not JSON: expected an object, array, string, number, true, false or null',
  }),
  inBody('single quotes', "{'evidence': {}}", "{'evidence': {}}", {
    code: 'schema',
    pointer: '',
    detail: 'not JSON: expected double quotes, not single ones',
  }),
  inBody('a comma too many', '{"evidence":{"type":"snp",}}', '{"evidence":{"type":"snp",}}', {
    code: 'schema',
    pointer: '/evidence',
    detail: 'not JSON: expected a member name in double quotes',
  }),
  inBody('a text that was cut short', '{"evidence":{"type":"snp"', '{"evidence":{"type":"snp"', {
    code: 'schema',
    pointer: '/evidence',
    detail: 'not JSON: the text ends too early',
  }),
  inBody('an array', `[{"evidence":{}}]`, [{ evidence: {} }], {
    code: 'schema',
    pointer: '',
    detail: 'the value is an array, not an object',
  }),
  inBody('a member twice', '{"nonce":"…","nonce":"…"}', `{"nonce":"${NONCE}","nonce":"${NONCE}"}`, {
    code: 'duplicate_key',
    pointer: '/nonce',
    detail: 'member appears twice',
  }),
];

const EVIDENCE: readonly HttpMistake[] = [
  inBody(
    'no evidence',
    `{"nonce":"${NONCE}"}`,
    { nonce: NONCE },
    {
      code: 'schema',
      pointer: '/evidence',
      detail: 'member is missing, expected an object',
    },
  ),
  inBody('evidence without its wrapper', '{"type":"snp","report":"…"}', SNP, {
    code: 'schema',
    pointer: '/evidence',
    detail: 'member is missing: this body looks like evidence, which goes into the member evidence',
  }),
  inBody(
    'evidence as text',
    '{"evidence":"…"}',
    { evidence: REPORT },
    {
      code: 'schema',
      pointer: '/evidence',
      detail: 'the value is a string, not an object',
    },
  ),
  inBody(
    'evidence without type',
    '{"evidence":{"report":"…"}}',
    { evidence: { report: REPORT } },
    {
      code: 'schema',
      pointer: '/evidence/type',
      detail: 'member is missing, expected a string',
    },
  ),
  inBody(
    'a type by another name',
    '{"evidence":{"type":"sev-snp","report":"…"}}',
    { evidence: { ...SNP, type: 'sev-snp' } },
    {
      code: 'type_unsupported',
      pointer: '/evidence/type',
      detail: `this version does not judge evidence of type "sev-snp"; it judges ${TYPES}`,
    },
  ),
  inBody(
    'a type in capitals',
    '{"evidence":{"type":"SNP","report":"…"}}',
    { evidence: { ...SNP, type: 'SNP' } },
    {
      code: 'type_unsupported',
      pointer: '/evidence/type',
      detail: 'this version does not judge evidence of type "SNP"; did you mean snp?',
    },
  ),
  inBody(
    'a type that is misspelt',
    '{"evidence":{"type":"az-snp-vtmp",…}}',
    { evidence: { ...azureEvidence({}), type: 'az-snp-vtmp' } },
    {
      code: 'type_unsupported',
      pointer: '/evidence/type',
      detail: 'this version does not judge evidence of type "az-snp-vtmp"; did you mean az-snp-vtpm?',
    },
  ),
  inBody(
    'the name of a required member that is misspelt',
    '{"evidence":{"type":"snp","reprot":"…"}}',
    { evidence: { type: 'snp', reprot: REPORT } },
    {
      code: 'schema',
      pointer: '/evidence/report',
      detail: 'member is missing; unknown member "reprot": did you mean report?',
    },
  ),
  inBody(
    'the name of the evidence that is misspelt',
    '{"evidnce":{"type":"snp","report":"…"}}',
    { evidnce: SNP },
    {
      code: 'schema',
      pointer: '/evidence',
      detail: 'member is missing; unknown member "evidnce": did you mean evidence?',
    },
  ),
  inBody(
    'evidence without its report',
    '{"evidence":{"type":"snp"}}',
    { evidence: { type: 'snp' } },
    {
      code: 'schema',
      pointer: '/evidence/report',
      detail: 'member is missing',
    },
  ),
  inBody(
    'a vTPM by itself without the certificate of its key',
    '{"evidence":{"type":"tpm","tpmQuote":{…}}}',
    { evidence: { type: 'tpm', tpmQuote: azureEvidence({})['tpmQuote'] ?? null } },
    {
      code: 'schema',
      pointer: '/evidence/akCertificate',
      detail: 'member is missing',
    },
  ),
  inBody(
    'hex instead of base64',
    '{"evidence":{"type":"snp","report":"00010203…"}}',
    { evidence: { type: 'snp', report: HEX_REPORT } },
    {
      code: 'encoding',
      pointer: '/evidence/report',
      detail: 'this is hex: expected base64url or base64',
    },
  ),
  inBody(
    'base64 with line feeds',
    '{"evidence":{"type":"snp","report":"AgICAgIC\\nAgICAgIC\\n…"}}',
    { evidence: { type: 'snp', report: REPORT.replace(/.{76}/g, '$&\n') } },
    {
      code: 'encoding',
      pointer: '/evidence/report',
      detail: 'not base64url or base64: it has spaces or line feeds',
    },
  ),
  inBody(
    'bytes as a list of numbers',
    '{"evidence":{"type":"snp","report":[2,0,0,0]}}',
    { evidence: { type: 'snp', report: [2, 0, 0, 0] } },
    {
      code: 'schema',
      pointer: '/evidence/report',
      detail: 'the value is an array, not a string',
    },
  ),
  inBody(
    'null for what is not there',
    '{"evidence":{"type":"snp","report":"…","runtimeData":null}}',
    { evidence: { ...SNP, runtimeData: null } },
    {
      code: 'schema',
      pointer: '/evidence/runtimeData',
      detail: 'the value is null, not a string',
    },
  ),
  inBody(
    'a report that was cut short',
    '{"evidence":{"type":"snp","report":"AgICAg"}}',
    { evidence: { type: 'snp', report: 'AgICAg' } },
    {
      code: 'snp_format',
      pointer: '/evidence/report',
      detail: 'report is 4 bytes, expected 1184',
    },
  ),
  inBody(
    'a member misspelt',
    '{"evidence":{"type":"snp","report":"…","endorsments":{}}}',
    { evidence: { ...SNP, endorsments: {} } },
    {
      code: 'unknown_property',
      pointer: '/evidence/endorsments',
      detail: 'unknown member "endorsments": did you mean endorsements?',
    },
  ),
  inBody(
    'a member that does not exist',
    '{"evidence":{"type":"snp","report":"…","vcekUrl":"…"}}',
    { evidence: { ...SNP, vcekUrl: 'https://kdsintf.amd.com' } },
    {
      code: 'unknown_property',
      pointer: '/evidence/vcekUrl',
      detail: 'unknown member "vcekUrl"; known: type, report, runtimeData, endorsements',
    },
  ),
  inBody(
    'a dialect that does not exist',
    '{"evidence":{"type":"snp","dialect":"tsm","value":{}}}',
    { evidence: { type: 'snp', dialect: 'tsm', value: {} } },
    {
      code: 'schema',
      pointer: '/evidence/dialect',
      detail: 'unknown dialect "tsm" for snp; known: maa, extended-report, configfs-tsm',
    },
  ),
  inBody(
    'a dialect of another type',
    '{"evidence":{"type":"snp","dialect":"trustee","value":{}}}',
    { evidence: { type: 'snp', dialect: 'trustee', value: {} } },
    {
      code: 'type_mismatch',
      pointer: '/evidence/dialect',
      detail: 'dialect trustee is for az-snp-vtpm or az-tdx-vtpm or tdx or tpm evidence, not for snp',
    },
  ),
  inBody(
    'evidence of a Trustee guest as it lies in a file',
    '{"version":1,"tpm_quote":{…},"hcl_report":"…","vcek":"…"}',
    { version: 1, tpm_quote: {}, hcl_report: REPORT, vcek: '' },
    { code: 'schema', pointer: '/evidence', detail: `member is missing: ${TRUSTEE}` },
  ),
  inBody(
    'evidence of a Trustee guest without type and dialect',
    '{"evidence":{"version":1,"tpm_quote":{…},"hcl_report":"…","vcek":"…"}}',
    { evidence: { version: 1, tpm_quote: {}, hcl_report: REPORT, vcek: '' } },
    { code: 'schema', pointer: '/evidence/type', detail: `member is missing: ${TRUSTEE}` },
  ),
  inBody(
    'evidence of a Trustee guest without dialect',
    '{"evidence":{"type":"az-snp-vtpm","version":1,"tpm_quote":{…},"hcl_report":"…","vcek":"…"}}',
    { evidence: { type: 'az-snp-vtpm', version: 1, tpm_quote: {}, hcl_report: REPORT, vcek: '' } },
    { code: 'schema', pointer: '/evidence/dialect', detail: `member is missing: ${TRUSTEE}` },
  ),
  inBody(
    'evidence of a Trustee guest beside the dialect instead of in the value',
    '{"evidence":{"type":"az-snp-vtpm","dialect":"trustee","version":1,"tpm_quote":{…},"hcl_report":"…","vcek":"…"}}',
    {
      evidence: { type: 'az-snp-vtpm', dialect: 'trustee', version: 1, tpm_quote: {}, hcl_report: REPORT, vcek: '' },
    },
    { code: 'schema', pointer: '/evidence/value', detail: `member is missing: ${TRUSTEE}` },
  ),
  inBody(
    'attestationInfo of an Azure guest as the client makes it',
    '{"AttestationProtocolVersion":"2.0",…,"TpmInfo":{…},"IsolationInfo":{"Type":"Tdx",…}}',
    { AttestationProtocolVersion: '2.0', TpmInfo: {}, IsolationInfo: { Type: 'Tdx' } },
    { code: 'schema', pointer: '/evidence', detail: `member is missing: ${azureGuest('az-tdx-vtpm')}` },
  ),
  inBody(
    'attestationInfo of an Azure guest beside the dialect instead of in the value',
    '{"evidence":{"type":"az-snp-vtpm","dialect":"azure-guest",…,"TpmInfo":{…},"IsolationInfo":{…}}}',
    { evidence: { type: 'az-snp-vtpm', dialect: 'azure-guest', TpmInfo: {}, IsolationInfo: {} } },
    { code: 'schema', pointer: '/evidence/value', detail: `member is missing: ${azureGuest('az-snp-vtpm')}` },
  ),
  inBody(
    'attestationInfo of another kind of machine',
    '{"evidence":{"type":"az-snp-vtpm","dialect":"azure-guest","value":{…,"IsolationInfo":{"Type":"Tdx",…}}}}',
    {
      evidence: {
        type: 'az-snp-vtpm',
        dialect: 'azure-guest',
        value: {
          AttestationProtocolVersion: '2.0',
          TpmInfo: { PcrQuote: '', PcrSignature: '', PCRs: [] },
          IsolationInfo: { Type: 'Tdx' },
        },
      },
    },
    {
      code: 'type_mismatch',
      pointer: '/evidence/value/IsolationInfo/Type',
      detail: 'this is of a machine whose evidence is of type az-tdx-vtpm, expected az-snp-vtpm',
    },
  ),
  inBody(
    'endorsements as a list',
    '{"evidence":{"type":"snp","report":"…","endorsements":["…"]}}',
    { evidence: { ...SNP, endorsements: ['AA'] } },
    { code: 'schema', pointer: '/evidence/endorsements', detail: 'the value is an array, not an object' },
  ),
  inBody(
    'hex with 0x in front',
    '{"evidence":{"type":"snp","report":"0x00010203…"}}',
    { evidence: { type: 'snp', report: `0x${HEX_REPORT}` } },
    {
      code: 'encoding',
      pointer: '/evidence/report',
      detail: 'this is hex, and starts with 0x: expected base64url or base64',
    },
  ),
  inBody(
    'hex with 0X in front',
    '{"evidence":{"type":"snp","report":"0X00010203…"}}',
    { evidence: { type: 'snp', report: `0X${HEX_REPORT}` } },
    {
      code: 'encoding',
      pointer: '/evidence/report',
      detail: 'this is hex, and starts with 0x: expected base64url or base64',
    },
  ),
  inBody(
    'a private key in the place of a certificate',
    '{"evidence":{"type":"snp","report":"…","endorsements":{"vek":"-----BEGIN PRIVATE KEY-----…"}}}',
    {
      evidence: {
        ...READABLE_SNP,
        endorsements: { vek: '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n' },
      },
    },
    {
      code: 'cert_format',
      pointer: '/evidence/endorsements/vek',
      detail: 'PEM has a private key, which must not be sent: expected certificates alone',
    },
  ),
  inBody(
    'a private key in the place of a CRL',
    '{"evidence":{"type":"snp","report":"…","endorsements":{"crls":["-----BEGIN PRIVATE KEY-----…"]}}}',
    {
      evidence: {
        ...SNP,
        endorsements: { crls: ['-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'] },
      },
    },
    {
      code: 'encoding',
      pointer: '/evidence/endorsements/crls/0',
      detail: 'this is a private key, which must not be sent',
    },
  ),
  inBody(
    'an empty certificate',
    '{"evidence":{"type":"snp","report":"…","endorsements":{"vek":""}}}',
    { evidence: { ...READABLE_SNP, endorsements: { vek: '' } } },
    { code: 'cert_format', pointer: '/evidence/endorsements/vek', detail: 'certificate is empty' },
  ),
  inBody(
    'a CRL in PEM',
    '{"evidence":{"type":"snp","report":"…","endorsements":{"crls":["-----BEGIN X509 CRL-----…"]}}}',
    { evidence: { ...SNP, endorsements: { crls: ['-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n'] } } },
    {
      code: 'encoding',
      pointer: '/evidence/endorsements/crls/0',
      detail: 'this is PEM: expected the DER in it, in base64url or base64',
    },
  ),
  inBody(
    'a certificate in PEM written in base64',
    '{"evidence":{"type":"snp","report":"…","endorsements":{"vek":"LS0tLS1CRUdJTi…"}}}',
    { evidence: { ...SNP, endorsements: { vek: Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64') } } },
    {
      code: 'encoding',
      pointer: '/evidence/endorsements/vek',
      detail: 'this is PEM written in base64: expected PEM as it is, or DER in base64url or base64',
    },
  ),
  inBody(
    'the provider of another TEE',
    '{"evidence":{"type":"snp","dialect":"configfs-tsm","value":{"provider":"tdx_guest","outblob":"…"}}}',
    { evidence: { type: 'snp', dialect: 'configfs-tsm', value: { provider: 'tdx_guest', outblob: REPORT } } },
    {
      code: 'type_mismatch',
      pointer: '/evidence/value/provider',
      detail: 'this is the provider of another TEE, expected sev_guest',
    },
  ),
  inBody(
    'a token with its scheme in front',
    '{"evidence":{"type":"maa-token","token":"Bearer eyJ…"}}',
    { evidence: { type: 'maa-token', token: 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.AA' } },
    {
      code: 'token_format',
      pointer: '/evidence/token',
      detail: 'the token has Bearer in front: expected what follows it',
    },
  ),
  inBody(
    'PCR values in base64',
    '{"evidence":{"type":"az-snp-vtpm","hclReport":"…","tpmQuote":{…,"pcrs":{"sha256":{"0":"3q2-7w=="}}}}}',
    { evidence: azureEvidence({ sha256: { '0': '3q2-7w==' } }) },
    {
      code: 'encoding',
      pointer: '/evidence/tpmQuote/pcrs/sha256/0',
      detail: 'not hex with two digits a byte: this looks like base64',
    },
  ),
  inBody(
    'a PCR that does not exist',
    '{"evidence":{"type":"az-snp-vtpm","hclReport":"…","tpmQuote":{…,"pcrs":{"sha256":{"24":"00"}}}}}',
    { evidence: azureEvidence({ sha256: { '24': '00' } }) },
    {
      code: 'unknown_property',
      pointer: '/evidence/tpmQuote/pcrs/sha256/24',
      detail: 'unknown PCR: indices are 0 to 23, without leading zeros',
    },
  ),
  inBody(
    'a TD quote as an SNP report',
    '{"evidence":{"type":"snp","report":"BAACAIEAAAA…"}}',
    {
      evidence: {
        type: 'snp',
        report: Buffer.concat([Buffer.from('0400020081000000', 'hex'), Buffer.alloc(64)]).toString('base64url'),
      },
    },
    {
      code: 'type_mismatch',
      pointer: '/evidence/report',
      detail: 'this is a TD quote, expected an SNP report',
    },
  ),
];

const BESIDE_IT: readonly HttpMistake[] = [
  inBody(
    'a nonce in hex',
    '{"evidence":{…},"nonce":"(128 hex digits)"}',
    { evidence: SNP, nonce: HEX_REPORT.slice(0, 128) },
    {
      code: 'nonce',
      pointer: '/nonce',
      detail: 'nonce is 96 bytes, expected 8 to 64; it looks like hex, expected base64url',
    },
  ),
  inBody(
    'a nonce that is too short',
    '{"evidence":{…},"nonce":"AAAA"}',
    { evidence: SNP, nonce: 'AAAA' },
    {
      code: 'nonce',
      pointer: '/nonce',
      detail: 'nonce is 3 bytes, expected 8 to 64',
    },
  ),
  inBody(
    'a number as nonce',
    '{"evidence":{…},"nonce":12345678}',
    { evidence: SNP, nonce: 12345678 },
    {
      code: 'schema',
      pointer: '/nonce',
      detail: 'the value is a number, not a string',
    },
  ),
  inBody(
    'a private key',
    '{"evidence":{…},"nonce":"…","binding":{"jwk":{"kty":"OKP",…,"d":"…"}}}',
    { evidence: SNP, nonce: NONCE, binding: { jwk: { kty: 'OKP', crv: 'X25519', x: 'AA', d: 'AA' } } },
    {
      code: 'schema',
      pointer: '/binding/jwk',
      detail:
        'this is a private key, since it has d: send the public key, and replace this private key, because it has left its machine',
    },
  ),
  inBody(
    'a key without nonce',
    '{"evidence":{…},"binding":{"jwk":{…}}}',
    { evidence: SNP, binding: { jwk: { kty: 'OKP', crv: 'X25519', x: 'AA' } } },
    {
      code: 'schema',
      pointer: '/nonce',
      detail: 'member is missing: binding needs it',
    },
  ),
  inBody(
    'a policy that does not exist',
    '{"evidence":{…},"policy":"baseline"}',
    { evidence: SNP, policy: 'baseline' },
    {
      code: 'policy_unknown',
      pointer: '/policy',
      detail: 'unknown policy "baseline"; known: azure-cvm-baseline, azure-maa-baseline',
    },
  ),
  inBody(
    'a policy by its file name',
    '{"evidence":{…},"policy":"policies/payments.yaml"}',
    { evidence: SNP, policy: 'policies/payments.yaml' },
    {
      code: 'schema',
      pointer: '/policy',
      detail: 'not a policy id: expected 1 to 64 lower-case letters, digits and hyphens, not starting with a hyphen',
    },
  ),
  inBody(
    'a policy itself',
    '{"evidence":{…},"policy":{"id":"payments"}}',
    { evidence: SNP, policy: { id: 'payments' } },
    {
      code: 'schema',
      pointer: '/policy',
      detail: 'the value is an object, not a string or an array',
    },
  ),
  inBody(
    'no policy',
    '{"evidence":{…},"policy":[]}',
    { evidence: SNP, policy: [] },
    {
      code: 'schema',
      pointer: '/policy',
      detail: 'the list has 0 items, expected at least 1',
    },
  ),
  inBody(
    'a date without time',
    '{"evidence":{…},"at":"2026-01-15"}',
    { evidence: SNP, at: '2026-01-15' },
    {
      code: 'schema',
      pointer: '/at',
      detail: INSTANT,
    },
  ),
  inBody(
    'a time zone',
    '{"evidence":{…},"at":"2026-01-15T13:00:00+01:00"}',
    { evidence: SNP, at: '2026-01-15T13:00:00+01:00' },
    {
      code: 'schema',
      pointer: '/at',
      detail: INSTANT,
    },
  ),
  inBody(
    'a day that does not exist',
    '{"evidence":{…},"at":"2026-02-30T12:00:00Z"}',
    { evidence: SNP, at: '2026-02-30T12:00:00Z' },
    {
      code: 'schema',
      pointer: '/at',
      detail: 'there is no such day or time',
    },
  ),
  inBody(
    'a past verification time while historical is off',
    '{"evidence":{…},"at":"2026-01-15T12:00:00Z"}',
    { evidence: SNP, at: '2026-01-15T12:00:00Z' },
    {
      code: 'at_not_enabled',
      pointer: '/at',
      detail:
        'this service does not judge at a verification time in the past: historical is not set in its configuration',
    },
  ),
  inBody(
    'an instant to come',
    '{"evidence":{…},"at":"2999-01-01T00:00:00Z"}',
    { evidence: SNP, at: '2999-01-01T00:00:00Z' },
    {
      code: 'at_not_enabled',
      pointer: '/at',
      detail: 'at is in the future',
    },
    { historical: true },
  ),
  inBody(
    'a token as text',
    '{"evidence":{…},"attestationResults":["eyJ…"]}',
    { evidence: SNP, attestationResults: ['eyJ'] },
    {
      code: 'schema',
      pointer: '/attestationResults/0',
      detail: 'the value is a string, not an object',
    },
  ),
  inBody(
    'a token by another name',
    '{"evidence":{…},"attestationResults":[{"type":"maa","token":"eyJ…"}]}',
    { evidence: SNP, attestationResults: [{ type: 'maa', token: 'eyJ' }] },
    {
      code: 'schema',
      pointer: '/attestationResults/0',
      detail: 'unknown type "maa"; known: maa-token, ita-token',
    },
  ),
];

const JUDGED: readonly HttpMistake[] = [
  {
    title: 'a challenge used twice',
    given: 'POST /verify, the same body a second time',
    action: {
      call: async ({ body, verify }) => {
        const whole = await body();
        await verify(whole);
        return { target: '/verify', body: whole };
      },
    },
    answer: {
      decision: 'deny',
      check: {
        id: 'nonce_used',
        detail: 'the challenge was used before, or its record is gone',
        remedy:
          'The caller should get a new challenge from POST /challenges, and the guest should make new evidence for it.',
      },
    },
  },
  {
    title: 'no nonce',
    given: 'POST /verify {"evidence":{…}}',
    action: { call: verifyCall(({ evidence = {} }) => ({ evidence })) },
    answer: {
      decision: 'deny',
      check: {
        id: 'nonce_missing',
        expected: 'any',
        actual: 'none',
        detail: 'the policy requires a nonce, and none was sent',
        remedy: 'The caller should send the nonce that the guest put into its evidence.',
      },
    },
  },
  {
    title: 'a nonce that the guest did not use',
    given: 'POST /verify {"evidence":{…},"nonce":"(another)"}',
    action: { call: verifyCall((body) => ({ ...body, nonce: NONCE })) },
    answer: {
      decision: 'deny',
      check: {
        id: 'nonce_mismatch',
        expected: `${Buffer.from(NONCE, 'base64url').toString('hex')}${'00'.repeat(48)}`,
        detail: 'user-data of the runtime claims is another value: the hardware report is stale, or for another nonce',
        remedy:
          'The guest should make a new HCL report (user-data, by NV index 0x01400002) for the nonce and the bound key of this request.',
      },
    },
  },
  {
    title: 'a policy for other evidence',
    given: 'POST /verify {"evidence":{"type":"az-snp-vtpm",…},"policy":"azure-maa-baseline"}',
    action: { call: verifyCall((body) => ({ ...body, policy: 'azure-maa-baseline' })) },
    answer: {
      decision: 'deny',
      check: {
        id: 'policy_evidence_type',
        expected: ['maa-token'],
        actual: 'az-snp-vtpm',
        detail: 'the policy does not accept this type of evidence',
        remedy:
          'The caller should send evidence of a type that policy azure-maa-baseline accepts (maa-token) instead of az-snp-vtpm, or name a policy that accepts it.',
      },
    },
  },
];

function azureEvidence(pcrs: JsonObject): JsonObject {
  return { type: 'az-snp-vtpm', hclReport: REPORT, tpmQuote: { message: 'AA', signature: 'AA', pcrs } };
}

/** Mistakes over HTTP. */
export const HTTP_MISTAKES: readonly HttpMistake[] = [...CALLS, ...JSON_TEXTS, ...EVIDENCE, ...BESIDE_IT, ...JUDGED];
