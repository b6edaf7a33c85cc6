import { describe, expect, it } from 'vitest';
import { parseVekExtensions } from '../../src/formats/amd-vek-extensions.js';
import { decodeBase64, decodeHex } from '../../src/formats/base64.js';
import { describeTpmQuote } from '../../src/formats/describe-azure-evidence.js';
import { describeCcel } from '../../src/formats/describe-event-log.js';
import { parseHclReport } from '../../src/formats/hcl-report.js';
import { parsePemCertificates } from '../../src/formats/pem.js';
import { readRuntimeClaims, readRuntimeObject } from '../../src/formats/runtime-claims.js';
import { parseSnpCertificateTable } from '../../src/formats/snp-certificate-table.js';
import { parseSnpReport } from '../../src/formats/snp-report.js';
import { parseStrictJson } from '../../src/formats/strict-json.js';
import { parseTcgEventLog } from '../../src/formats/tcg-event-log.js';
import { parseTpmsAttestHeader, parseTpmsQuote } from '../../src/formats/tpms-attest.js';
import { parseTpmSignature } from '../../src/formats/tpmt-signature.js';
import { parseCertificate } from '../../src/formats/x509-certificate.js';
import { parseCrl } from '../../src/formats/x509-crl.js';
import { ConfigurationError, FormatError } from '../../src/model/errors.js';
import { parsePolicy } from '../../src/policy/policy-document.js';
import { readVerifyRequest } from '../../src/wire/read-verify-request.js';
import { createAmdPki } from '../lab/amd-pki.js';
import { buildCcel, labCcelEvents } from '../lab/ccel-builder.js';
import { buildCertificateTable } from '../lab/certificate-table-builder.js';
import { createVirtualMachine } from '../lab/virtual-machine.js';

/**
 * Parsers under changed bytes: whatever comes, they answer with a value or a declared error.
 * `FUZZ_SECONDS` says how long each is tried; without it, a fixed number of rounds.
 */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? '0');
const ROUNDS = 3_000;

const pki = createAmdPki({ at: new Date('2026-01-15T12:00:00Z') });
const vm = await createVirtualMachine({ pki });
const nonce = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
const evidence = vm.evidence({ nonce });
const body = JSON.stringify({
  evidence: vm.wireEvidence({ nonce }),
  nonce: nonce.toString('base64url'),
  policy: ['a', 'b'],
});
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

const POLICY = `apiVersion: veritee/v1
id: payments
version: 1
accepts: [snp, az-snp-vtpm]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
referenceValues: [ { appliesTo: { product: Milan }, snp: { vmpl: [0] } } ]
waivers: [ { check: crl_unavailable, reason: r, approver: a, expires: "2027-01-01" } ]
`;

interface Target {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  readonly parse: (bytes: Uint8Array) => unknown;
}

const TARGETS: readonly Target[] = [
  { name: 'an SNP report', seeds: [evidence.hclReport.subarray(32, 32 + 1184)], parse: parseSnpReport },
  { name: 'a paravisor report', seeds: [evidence.hclReport], parse: parseHclReport },
  {
    name: 'runtime claims',
    seeds: [vm.runtimeClaims({ nonce })],
    parse: (bytes) => {
      const object = readRuntimeObject(bytes);
      return object.ok ? readRuntimeClaims(object.value) : object;
    },
  },
  {
    name: 'a TPM quote',
    seeds: [evidence.tpmQuote.message],
    parse: (bytes) => [parseTpmsAttestHeader(bytes), parseTpmsQuote(bytes)],
  },
  {
    name: 'a TPM signature',
    seeds: [
      Buffer.concat([Buffer.from('0014000b0100', 'hex'), evidence.tpmQuote.signature]),
      evidence.tpmQuote.signature,
    ],
    parse: (bytes) => parseTpmSignature(bytes, 256),
  },
  {
    name: 'an event log',
    seeds: [buildCcel(labCcelEvents())],
    parse: (bytes) => parseTcgEventLog(bytes, 2 ** 20),
  },
  {
    name: 'an event log to be shown',
    seeds: [buildCcel(labCcelEvents())],
    parse: (bytes) => describeCcel(bytes, '/ccel', 2 ** 20),
  },
  {
    name: 'a TPM quote to be shown',
    seeds: [evidence.tpmQuote.message],
    parse: (message) => describeTpmQuote({ ...evidence.tpmQuote, message }, '/tpmQuote'),
  },
  {
    name: 'a certificate',
    seeds: [vm.platform.vek.der, ...pki.chainDer('Milan', 'vcek')],
    parse: (bytes) => parseVekExtensions(parseCertificate(bytes, { allowZeroSerial: true })),
  },
  { name: 'a revocation list', seeds: [vm.platform.crl], parse: parseCrl },
  {
    name: 'a PEM chain',
    seeds: [Buffer.from(vm.platform.chain)],
    parse: (bytes) => parsePemCertificates(text(bytes), 'cert_chain'),
  },
  {
    name: 'a certificate table',
    seeds: [buildCertificateTable([['vcek', vm.platform.vek.der]])],
    parse: parseSnpCertificateTable,
  },
  { name: 'JSON', seeds: [Buffer.from(body)], parse: (bytes) => parseStrictJson(bytes) },
  { name: 'a request', seeds: [Buffer.from(body)], parse: (bytes) => readVerifyRequest(bytes) },
  { name: 'base64', seeds: [Buffer.from('QUJDRA=='), Buffer.from('_-8')], parse: (bytes) => decodeBase64(text(bytes)) },
  { name: 'hex', seeds: [Buffer.from('00ffAB')], parse: (bytes) => decodeHex(text(bytes)) },
  { name: 'a policy', seeds: [Buffer.from(POLICY)], parse: (bytes) => parsePolicy(text(bytes)) },
];

/** A generator whose every run is the same, so that what it finds can be found again (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to four changes: a byte, a run that is cut, repeated or moved, a length at its limits. */
function changed(seed: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(seed);
  for (let change = random(4); change >= 0; change -= 1) {
    const at = random(bytes.length + 1);
    const length = random(9);
    const [before, rest] = [bytes.subarray(0, at), bytes.subarray(at)];
    const edits = [
      () => Buffer.concat([before, Buffer.from([random(256)]), rest.subarray(1)]),
      () => Buffer.concat([before, rest.subarray(length)]),
      () => Buffer.concat([before, rest.subarray(0, length), rest]),
      () => Buffer.concat([before, Buffer.alloc(length, [0x00, 0xff, 0x7f, 0x80][random(4)]), rest.subarray(length)]),
      () => before,
    ];
    bytes = Buffer.from(edits[random(edits.length)]?.() ?? bytes);
  }
  return bytes;
}

/** Tries one input. Returns what was thrown that no caller expects. */
function unexpected(parse: Target['parse'], bytes: Uint8Array): unknown {
  try {
    parse(bytes);
    return null;
  } catch (error) {
    return error instanceof FormatError || error instanceof ConfigurationError
      ? null
      : { error, input: Buffer.from(bytes).toString('hex') };
  }
}

describe('hostile bytes', () => {
  it.each(TARGETS)(
    'are read as $name, or refused with a declared error',
    ({ seeds, parse }) => {
      for (const seed of seeds) expect(unexpected(parse, seed)).toBeNull();
      const random = generator(20_260_115);
      const end = performance.now() + SECONDS * 1000;
      for (let round = 0; SECONDS > 0 ? performance.now() < end : round < ROUNDS; round += 1) {
        const seed = seeds[random(seeds.length)] ?? new Uint8Array();
        expect(unexpected(parse, changed(seed, random))).toBeNull();
      }
    },
    60_000 + SECONDS * 2000,
  );
});
