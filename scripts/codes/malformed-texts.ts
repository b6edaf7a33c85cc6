import type { MalformedCode } from '../../src/core/codes.js';

/** The text of docs/codes.md on one way in which a request is malformed. */
interface MalformedText {
  /** The meaning for the request. One sentence for people: lower case, no period. */
  readonly meaning: string;
  /** The trigger, if it is more than the meaning. Triggers end in a semicolon. */
  readonly when?: string;
  /** The remedy for the sender. One sentence. */
  readonly remedy: string;
}

const AS_READ = 'byte for byte as the guest read it';
const CUT = 'cut at its own length, without bytes before or behind it';

export const MALFORMED_TEXTS: { readonly [code in MalformedCode]: MalformedText } = {
  schema: {
    meaning: 'the body, or a member of it, is not what openapi.yaml describes',
    when: 'the body is no JSON, is cut off, or did not arrive in time; a member is missing or of another type; a number is no safe integer; a parameter of the query has another value, or appears twice',
    remedy: 'The caller should correct the member that pointer names; openapi.yaml lists every member and its values.',
  },
  unknown_property: {
    meaning: 'the body has a member, or the query a parameter, that openapi.yaml does not name',
    remedy: 'The caller should remove the member that pointer names, or the parameter, or correct its spelling.',
  },
  duplicate_key: {
    meaning: 'an object has a member twice',
    when: 'in the body at any depth, escaped spellings included; in the header or the claims of a token',
    remedy: 'The caller should send each member once.',
  },
  forbidden_key: {
    meaning: 'an object has a member of the name __proto__, constructor or prototype',
    when: 'in the body at any depth, or in the claims of a token',
    remedy: 'The caller should remove the member, which no evidence has.',
  },
  too_complex: {
    meaning: 'the body is nested deeper, or has more values or longer texts, than a request may have',
    when: 'more than 32 levels, 10000 items of one array, 20000 values in all; a member name over 256 bytes; a text longer than limits.eventLogBytes allows in base64',
    remedy: 'The caller should send the evidence alone, without members that nothing reads.',
  },
  encoding: {
    meaning: 'a value is not in the encoding that its member has',
    when: 'the body is not UTF-8; bytes are not base64url, or are hex in its place',
    remedy: 'The caller should encode the bytes as openapi.yaml says for the member, which for evidence is base64url.',
  },
  type_mismatch: {
    meaning: 'the evidence is of another type than the request says',
    when: 'the bytes are of another TEE, or another structure than `as` says; the dialect is for another type; a TD quote is in fact one of an SGX enclave',
    remedy: 'The caller should send the type and the dialect that the evidence has.',
  },
  type_unsupported: {
    meaning: 'this service judges no evidence of this type',
    when: 'the type or dialect is not known; it names a test, sample or simulated TEE; bytes to be inspected are no structure that is recognised, or could be several',
    remedy: 'The caller should send a type that openapi.yaml lists.',
  },
  url_not_allowed: {
    meaning: 'the request names an address, which the service never contacts',
    when: 'never in this version, in which no member of a request takes an address',
    remedy: 'The operator should configure the address, because a request cannot.',
  },
  nonce: {
    meaning: 'the nonce cannot be one',
    when: 'it has fewer than 8 or more than 64 bytes, does not fit into the evidence, or begins with the text veritee1, which is reserved, or is the SHA-256 of azure-cleanroom, which is published',
    remedy: 'The caller should send 8 to 64 random bytes as base64url, or a challenge of POST /challenges.',
  },
  at_not_enabled: {
    meaning: 'a verification time was sent, and the service judges none',
    when: 'historical is off; the time is in the future; on the command line, the body has one and --at was not given',
    remedy: 'The caller should leave out at, or the operator should set historical: true.',
  },
  policy_unknown: {
    meaning: 'the request names a policy that does not exist',
    remedy: 'The caller should name a policy that is loaded, or the operator should add it to policies.directory.',
  },
  snp_format: {
    meaning: 'the bytes are no SEV-SNP report',
    when: 'another length than 1184 bytes; a version before 2 or after 5; a signature algorithm other than ECDSA P-384 with SHA-384',
    remedy: `The caller should send the ATTESTATION_REPORT ${CUT}.`,
  },
  snp_reserved: {
    meaning: 'a reserved field of the SEV-SNP report is not zero',
    when: 'for the version that the report states: a field of a later version that is filled counts too',
    remedy: `The caller should send the report ${AS_READ}, or the operator should update this service if AMD has defined the field since.`,
  },
  snp_policy: {
    meaning: 'the guest policy of the SEV-SNP report cannot be one',
    when: 'bit 17, which must be one, is clear; a bit is set that AMD does not define',
    remedy: `The caller should send the report ${AS_READ}.`,
  },
  tdx_format: {
    meaning: 'the bytes are no TD quote',
    when: 'a version other than 4 and 5; a key type other than ECDSA P-256; a body that is not known; lengths that do not add up',
    remedy: `The caller should send the quote ${CUT}.`,
  },
  tdx_trailing: {
    meaning: 'bytes follow the TD quote',
    when: 'after the authentication data, or after the last certificate in it, there is anything but zeros that may fill up',
    remedy: `The caller should send the quote ${CUT}.`,
  },
  tdx_not_a_quote: {
    meaning: 'the bytes are a TDREPORT and no quote',
    remedy:
      'The guest should have a quote made of the TDREPORT (by the quoting enclave of its host), because only its own platform can check a TDREPORT.',
  },
  hcl_format: {
    meaning: 'the bytes are no HCL report',
    when: 'another signature, version or report type; a hardware report of another TEE inside; lengths that do not add up',
    remedy: `The caller should send the contents of NV index 0x01400001 ${AS_READ}.`,
  },
  hcl_hash_type: {
    meaning: 'the HCL report names a hash of its runtime data other than SHA-256',
    remedy: `The caller should send the HCL report ${AS_READ}, because Azure writes SHA-256 (1).`,
  },
  tpm_format: {
    meaning: 'the bytes are no structure of a TPM',
    when: 'TPMS_ATTEST, TPMT_SIGNATURE, TPMT_PUBLIC or PCR values do not have their form; a size prefix was left on (TPM2B_ATTEST)',
    remedy: 'The caller should send the structures as the TPM returned them, without size prefixes.',
  },
  eventlog_format: {
    meaning: 'the event log cannot be read',
    remedy: `The caller should send the log ${AS_READ}, as TCG crypto agile log or as Canonical Event Log in TLV or JSON.`,
  },
  eventlog_limit: {
    meaning: 'the event log is larger than a log may be',
    when: 'more bytes than limits.eventLogBytes; more events or digests of an event than any firmware writes; an event longer than the log; an algorithm twice',
    remedy:
      'The caller should send the log as the guest read it, without repeated parts, or the operator should raise limits.eventLogBytes.',
  },
  cert_format: {
    meaning: 'a certificate or CRL of the request cannot be read',
    remedy:
      'The caller should send certificates and CRLs as the vendor publishes them, in DER or PEM as the member says.',
  },
  cert_chain: {
    meaning: 'the certificates sent are not the chain that is expected',
    when: 'too many or too few, in another order, with text between them; a chain of another quote',
    remedy:
      'The caller should send exactly the chain of the vendor, from the issuer of the key certificate to the root, or leave it out.',
  },
  token_format: {
    meaning: 'the text is no signed token (JWS compact serialization)',
    when: 'other than three parts; blanks or padding in them; more than 64 KiB; a part that is no JSON',
    remedy: 'The caller should send the token exactly as its issuer made it.',
  },
  token_header: {
    meaning: 'the header of the token has what no token of its issuer has',
    when: 'a member crit, b64, zip, enc, jwk or x5u; typ is not JWT; jku or x5c name other keys than the issuer publishes',
    remedy: 'The caller should send the token exactly as its issuer made it.',
  },
  token_claim: {
    meaning: 'a claim that every token has is missing, or is not what it must be',
    when: 'exp is missing; exp, iat or nbf is no safe integer; iss is no text',
    remedy: 'The caller should send the token exactly as its issuer made it.',
  },
};
