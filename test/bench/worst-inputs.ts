import { randomBytes } from 'node:crypto';
import {
  ATTRIBUTE,
  applicationEvent,
  bitString,
  buildCertificate,
  buildEventLog,
  CERTIFICATE_GUID,
  type CertificateOptions,
  createAmdPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createVirtualMachine,
  der,
  extendedKeyUsage,
  firmwareEvents,
  grubEvent,
  integer,
  joinBytes,
  type LabKey,
  LOG_EVENT,
  type LogEvent,
  littleEndian,
  measureInto,
  namedRsaKey,
  nameOf,
  newEcKey,
  oid,
  pemOf,
  rsaSpki,
  secureBootVariable,
  sequence,
  TdxPlatform,
  time,
  type VirtualMachine,
} from '../lab/index.js';
import type { JsonObject, Material, WorstInput } from './protocol.js';
import { policyInputs } from './worst-policies.js';

/** `limits.bodyBytes` and `limits.eventLogBytes` where nothing is configured. */
const [BODY_BYTES, LOG_BYTES] = [2 * 2 ** 20, 2 ** 20];
/** Characters of the longest text in a request. */
const TEXT = 4 * Math.ceil(LOG_BYTES / 3);
const PEM_BYTES = 32 * 1024;
const CERTIFICATE_BYTES = 16 * 1024;

/**
 * Of each kind of input the worst that the limits let in, and what lies just beyond a limit. They are answered in
 * whatever way: what counts is how long the event loop stands still meanwhile.
 */
export async function worstInputs({ bodies, collateral, logged }: Material): Promise<readonly WorstInput[]> {
  const machine = await createVirtualMachine({ pki: createAmdPki() });
  const td = createTdxGuest({ platform: new TdxPlatform({ pki: createIntelPki() }) });
  const azure = machine.wireEvidence();
  // with a PCK chain and collateral that hold, or nothing behind them would be looked at
  const tdx = { ...JSON.parse(bodies.tdx[0] ?? '').evidence, collateral: JSON.parse(collateral) };
  const quote = (pckChain: string) => td.wireEvidence({ quote: { pckChain }, collateral: null });
  return [
    ...jsonInputs(),
    ...certificateInputs(azure, machine),
    ...listInputs(azure, tdx),
    ...pemInputs(azure, tdx, quote),
    ...logInputs(tdx),
    ...bootInputs(machine),
    ...documentInputs(azure, tdx),
    keysInput(),
    ...structureInputs(),
    ...policyInputs(logged[0] ?? ''),
  ];
}

/** Keys in runtime data that the hardware vouches for, where one is bound that is none of them. */
function keysInput(): WorstInput {
  const guest = createSnpGuest({ pki: createAmdPki() });
  const nonce = base64(Buffer.alloc(32, 7));
  const key = (index: number) => ({ kty: 'OKP', crv: 'X', x: String(index).padStart(43, 'A') });
  const runtimeData = {
    text: JSON.stringify({ nonce, keys: Array.from({ length: 4_990 }, (_, index) => key(index)) }),
  };
  const binding = { jwk: { kty: 'EC', crv: 'P-256', x: base64(Buffer.alloc(32, 1)), y: base64(Buffer.alloc(32, 2)) } };
  return verify('runtime data of 4 990 keys', guest.wireEvidence({ runtimeData }), { nonce, binding });
}

/** Structures by themselves that are compared with every kind, and are none. */
function structureInputs(): readonly WorstInput[] {
  const bytes = (what: string, value: Uint8Array) =>
    inspect(`${what} as a structure`, { type: 'bytes', value: base64(value) });
  const longest = Math.floor((TEXT * 3) / 4);
  return [
    bytes('line feeds', Buffer.alloc(longest, '\n')),
    bytes('base64', Buffer.alloc(longest, 'QUJD')),
    bytes('elements of DER', elements(longest - 16)),
    bytes('JSON', Buffer.from(`[${Array(9_990).fill('{"pcr":1,"digests":[],"content":{}}').join(',')}]`)),
  ];
}

function verify(name: string, evidence: JsonObject, members: JsonObject = {}): WorstInput {
  return { name, path: '/verify', body: JSON.stringify({ evidence, ...members }) };
}

function inspect(name: string, evidence: JsonObject): WorstInput {
  return { name: `${name}, /inspect`, path: '/inspect', body: JSON.stringify(evidence) };
}

function both(name: string, evidence: JsonObject): readonly WorstInput[] {
  return [verify(name, evidence), inspect(name, evidence)];
}

function jsonInputs(): readonly WorstInput[] {
  const text = (name: string, body: string): WorstInput => ({ name: `JSON: ${name}`, path: '/verify', body });
  const names = (start: string, length: number) =>
    Array.from({ length: 2 }, () => {
      const members = Array.from({ length: 9_990 }, (_, index) => `"${start}${String(index).padStart(length, 'x')}":1`);
      return `{${members.join(',')}}`;
    }).join(',');
  return [
    text(
      '340 000 empty objects',
      `[${Array(34)
        .fill(`[${Array(10_000).fill('{}').join(',')}]`)
        .join(',')}]`,
    ),
    text('20 000 names', `[${names('', 13)}]`),
    text('20 000 names with escapes', `[${names('\\n', 12)}]`),
    text('20 000 names, too long in all', `[${names('\\n', 90)}]`),
    text(
      '20 000 long numbers',
      `[${Array(2)
        .fill(
          `[${Array(9_990)
            .fill(`0.${'1'.repeat(95)}`)
            .join(',')}]`,
        )
        .join(',')}]`,
    ),
    text('blanks', `[${' '.repeat(BODY_BYTES - 2)}]`),
    text('a number', `0.${'1'.repeat(BODY_BYTES - 2)}`),
    text('a text of escapes', `"${'\\"'.repeat(TEXT / 2)}"`),
    text('a text of characters outside the BMP', `"\\n${'😀'.repeat(TEXT / 4 - 2)}"`),
  ];
}

const KEY = namedRsaKey('worst-input', 2048);
const NAME = nameOf([[ATTRIBUTE.commonName, 'worst']]);

/** A self-signed certificate, whose issuer anybody can claim to be. */
function certificate(options: Partial<CertificateOptions> = {}, key: LabKey = KEY): Uint8Array {
  return buildCertificate({
    signer: key,
    algorithm: { scheme: 'pkcs1', hash: 'sha512' },
    serial: 1,
    issuer: NAME,
    subject: NAME,
    notBefore: new Date('2025-01-01T00:00:00Z'),
    notAfter: new Date('2045-01-01T00:00:00Z'),
    spki: key.spki,
    extensions: null,
    ...options,
  });
}

/** NULLs, the smallest elements there are. */
const elements = (bytes: number) => sequence(Buffer.from('0500'.repeat(Math.floor(bytes / 2)), 'hex'));

function certificateInputs(azure: JsonObject, machine: VirtualMachine): readonly WorstInput[] {
  const vek = (bytes: Uint8Array) => ({ ...azure, endorsements: { vek: base64(bytes) } });
  const ak = (bytes: Uint8Array) => ({ ...azure, akCertificate: base64(bytes) });
  const room = CERTIFICATE_BYTES - 900;
  const tooLarge = (TEXT * 3) / 4 - 2_000;
  const value = (bytes: number) => [{ oid: '1.2.3', value: elements(bytes) }];
  const many = Array.from({ length: 60 }, (_, index) => ({ oid: `1.2.3.${index}`, value: elements(room / 60 - 20) }));
  const arcs = { oid: '1.2.3', value: der(0x06, new Uint8Array(tooLarge).fill(0x2a)) };
  const purposes = (count: number) => certificate({ extensions: [extendedKeyUsage(Array(count).fill('1.2'))] });
  const slow = namedRsaKey('worst-input-large', 8192);
  const path = pemOf(certificate({}, slow)).repeat(4);
  return [
    ...both('certificate of 16 KiB', vek(certificate({ extensions: many }))),
    ...both('certificate of 1 MiB', vek(certificate({ extensions: value(tooLarge) }))),
    ...both('object identifier of 1 MiB', vek(certificate({ extensions: [arcs] }))),
    ...both('key of 1 MiB', vek(certificate({ spki: rsaSpki(new Uint8Array(tooLarge).fill(0x7f), 65_537) }))),
    ...both('16 key purposes', ak(purposes(16))),
    ...both('5 000 key purposes', ak(purposes(5_000))),
    ...both('path of five RSA keys of 8192 bits', { ...ak(certificate({}, slow)), akChain: path }),
    ...both('genuine evidence', machine.wireEvidence()),
  ];
}

function listInputs(azure: JsonObject, tdx: JsonObject): readonly WorstInput[] {
  const list = (entries: Uint8Array) =>
    sequence(
      sequence(integer(1), SIGNED_BY_RSA, NAME, time(new Date()), time(new Date(Date.now() + 1e9)), entries),
      SIGNED_BY_RSA,
      bitString(new Uint8Array(512)),
    );
  const entry = sequence(integer(1), time(new Date()));
  const entries = (bytes: number) => sequence(Buffer.alloc(Math.floor(bytes / entry.length) * entry.length, entry));
  const fitting = list(sequence(Buffer.alloc(50_000 * entry.length, entry)));
  const table = (count: number) => {
    const start = 24 * (count + 1);
    const guid = Buffer.from(CERTIFICATE_GUID.vcek.replaceAll('-', '').replace('63', '64'), 'hex');
    const one = (index: number) => joinBytes(guid, littleEndian(start + index, 4), littleEndian(1, 4));
    return joinBytes(...Array.from({ length: count }, (_, index) => one(index)), new Uint8Array(24 + count));
  };
  const crls = (...ders: readonly Uint8Array[]) => ({
    ...azure,
    endorsements: { ...endorsementsOf(azure), crls: ders.map(base64) },
  });
  const collateral = (pckCrl: Uint8Array) => ({
    ...tdx,
    collateral: { ...(tdx['collateral'] as JsonObject), pck_crl: Buffer.from(pckCrl).toString('hex') },
  });
  return [
    verify('CRL of 150 000 elements', crls(fitting)),
    verify('CRL of too many elements', crls(list(elements(TEXT / 2)))),
    verify('CRLs that fill the body', crls(list(entries(700_000)), list(entries(700_000)))),
    ...both('CRL of collateral', collateral(list(entries(TEXT / 2 - 1_000)))),
    ...both('certificate table of 40 000 entries', {
      ...azure,
      endorsements: { certificateTable: base64(table(40_000)) },
    }),
    ...both('certificate table of 64 entries', { ...azure, endorsements: { certificateTable: base64(table(64)) } }),
  ];
}

const SIGNED_BY_RSA = sequence(oid('1.2.840.113549.1.1.13'), der(0x05));

function pemInputs(azure: JsonObject, tdx: JsonObject, quote: (chain: string) => JsonObject): readonly WorstInput[] {
  const small = pemOf(certificate({ spki: newEcKey('prime256v1').spki, signature: () => new Uint8Array(8) }));
  const most = small.repeat(Math.floor(PEM_BYTES / small.length));
  const tooMuch = small.repeat(Math.floor((TEXT * 0.9) / small.length));
  const feeds = '\n'.repeat(TEXT / 2);
  const certification = '\n'.repeat(770_000);
  const ak = (akChain: string) => ({ ...azure, akCertificate: base64(certificate()), akChain });
  const chains = (chain: string) => ({
    ...tdx,
    collateral: {
      ...(tdx['collateral'] as JsonObject),
      tcb_info_issuer_chain: chain,
      qe_identity_issuer_chain: chain.slice(0, PEM_BYTES),
    },
  });
  return [
    ...both('line feeds as certification data', quote(certification)),
    ...both('NUL as certification data', quote(`${small}${'\0'.repeat(900_000)}`)),
    ...both('certificates as certification data', quote(most)),
    ...both('line feeds as issuer chain', chains(feeds)),
    ...both('certificates as issuer chain', chains(most)),
    ...both('32 KiB of certificates as AK chain', ak(most)),
    ...both('1 MiB of certificates as AK chain', ak(tooMuch)),
    ...both('line feeds as chain', { ...azure, endorsements: { ...endorsementsOf(azure), chain: feeds } }),
  ];
}

/** Event logs that replay to the PCRs of their quote, so that all of them is judged. */
function bootInputs(machine: VirtualMachine): readonly WorstInput[] {
  const filling = 'x'.repeat(140);
  const many = (count: number, event: (index: number) => LogEvent) => Array.from({ length: count }, (_, i) => event(i));
  const boot = (name: string, ofLoaders: readonly LogEvent[]) => {
    const events = [...firmwareEvents(), ...ofLoaders];
    measureInto(machine.vtpm, events);
    return verify(name, machine.wireEvidence({ eventLog: [buildEventLog(events, { banks: ['sha256'] })] }));
  };
  const variable = (index: number) => secureBootVariable('other', Buffer.from(`${filling}${index}`));
  return [
    boot(
      'event log of 2020 authorities',
      many(2020, (index) => ({ pcr: 7, type: LOG_EVENT.variableAuthority, data: variable(index) })),
    ),
    boot(
      'event log of 1024 commands of GRUB',
      many(1024, (index) => grubEvent('grub_cmd: ', `set x=${filling.repeat(6)}${index}`)),
    ),
    boot(
      'event log of 2020 images',
      many(2020, (index) => applicationEvent(`${filling}${index}`)),
    ),
  ];
}

function logInputs(tdx: JsonObject): readonly WorstInput[] {
  const log = (bytes: Uint8Array) => ({ ...tdx, ccel: base64(bytes) });
  const [events, algorithms] = [2048, 8];
  const others = Array.from({ length: algorithms - 1 }, (_, index) =>
    joinBytes(littleEndian(0x100 + index, 2), littleEndian(1, 2)),
  );
  const specId = joinBytes(
    Buffer.from('Spec ID Event03\0', 'latin1'),
    Uint8Array.of(0, 0, 0, 0, 0, 2, 0, 2),
    littleEndian(algorithms, 4),
    joinBytes(littleEndian(0x0c, 2), littleEndian(48, 2)),
    ...others,
    Uint8Array.of(0),
  );
  const header = joinBytes(
    littleEndian(1, 4),
    littleEndian(3, 4),
    new Uint8Array(20),
    littleEndian(specId.byteLength, 4),
    specId,
  );
  const digests = joinBytes(
    littleEndian(0x0c, 2),
    new Uint8Array(48),
    ...Array.from({ length: algorithms - 1 }, (_, index) =>
      joinBytes(littleEndian(0x100 + index, 2), Uint8Array.of(1)),
    ),
  );
  const event = (data: Uint8Array, count = algorithms, bytes = digests) =>
    joinBytes(
      littleEndian(1, 4),
      littleEndian(0xd, 4),
      littleEndian(count, 4),
      bytes,
      littleEndian(data.byteLength, 4),
      data,
    );
  const text = Buffer.alloc(LOG_BYTES - header.byteLength - 200, 'text ');
  const wide = Buffer.alloc(LOG_BYTES - header.byteLength - 200, Buffer.from('wide text ', 'utf16le'));
  const many = event(Buffer.alloc(120, 'text '));
  return [
    ...both('event log of 2048 events', log(joinBytes(header, Buffer.alloc(events * many.byteLength, many)))),
    ...both('event log of one long event', log(joinBytes(header, event(text)))),
    ...both('event log of one long event in UTF-16', log(joinBytes(header, event(wide)))),
    ...both('event log of filling', log(joinBytes(header, new Uint8Array(LOG_BYTES - header.byteLength)))),
  ];
}

function documentInputs(azure: JsonObject, tdx: JsonObject): readonly WorstInput[] {
  const collateral = tdx['collateral'] as JsonObject;
  const info = JSON.parse(String(collateral['tcb_info']));
  const levels = Array(200).fill(info.tcbLevels[0]);
  const runtime = (bytes: Uint8Array) => ({ ...tdx, runtimeData: base64(bytes) });
  const claims = `{"keys":[],"x":{${Array.from({ length: 9_990 }, (_, index) => `"${String(index).padStart(24, 'x')}":1`).join(',')}}}`;
  const pcrs = { sha256: { '0': 'ab'.repeat(TEXT / 2 - 8) } };
  const tpmQuote = { ...(azure['tpmQuote'] as JsonObject), pcrs };
  const octets = Array.from(randomBytes(9_900));
  const trustee = {
    type: 'az-tdx-vtpm',
    dialect: 'trustee',
    value: { tpm_quote: { signature: [1], message: [1], pcrs: [] }, hcl_report: octets, td_quote: octets },
  };
  return [
    ...both('runtime data of 9 990 members', runtime(Buffer.from(claims))),
    ...both('TCB info of 200 levels', {
      ...tdx,
      collateral: { ...collateral, tcb_info: JSON.stringify({ ...info, tcbLevels: levels }) },
    }),
    ...both('PCR of 1 MiB', { ...azure, tpmQuote }),
    ...both('report of 1 MiB', { ...azure, hclReport: base64(Buffer.alloc(LOG_BYTES, 'HCLA')) }),
    ...both('octets as numbers', trustee),
    verify('token of 64 KiB', { type: 'maa-token', token: token() }),
  ];
}

function token(): string {
  const part = (value: object) => base64(Buffer.from(JSON.stringify(value)));
  const claims = Object.fromEntries(Array.from({ length: 3_000 }, (_, index) => [`m${index}`, index]));
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'a' })}.${part({ exp: 2e9, iat: 1.9e9, ...claims })}.AAAA`;
}

function endorsementsOf(evidence: JsonObject): JsonObject {
  return evidence['endorsements'] as JsonObject;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
