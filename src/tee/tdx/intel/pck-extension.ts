import type { TdxCollateralRequest } from '../../../core/endorsement.js';
import { DER, type DerReader, malformed, oidText, parseDerSequence, smallUnsigned } from '../../../formats/der.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import { onlyExtension } from '../../../formats/x509-extension.js';

/**
 * The platform in a PCK certificate (Intel SGX PCK Certificate and CRL Profile Specification, SGX
 * extensions).
 */
export interface PckExtension {
  readonly ppid: Uint8Array;
  /** SVNs of SGX TCB components 1 to 16. */
  readonly sgxTcbComponents: readonly number[];
  readonly pceSvn: number;
  readonly cpuSvn: Uint8Array;
  readonly pceId: Uint8Array;
  readonly fmspc: Uint8Array;
  readonly sgxType: number;
  /** Only in certificates of the Platform CA; else null. */
  readonly platformInstanceId: Uint8Array | null;
}

/**
 * The Intel CA that issued a PCK certificate: the Platform CA (several packages) or the Processor CA (single
 * processor).
 */
export type PckCa = TdxCollateralRequest['ca'];

const PCK_CAS: ReadonlyMap<string | null, PckCa> = new Map([
  ['Intel SGX PCK Platform CA', 'platform'],
  ['Intel SGX PCK Processor CA', 'processor'],
]);

/** The CA with a common name; null for a name that Intel does not use. */
export function pckCaNamed(commonName: string | null): PckCa | null {
  return PCK_CAS.get(commonName) ?? null;
}

const PCK_EXTENSION = '1.2.840.113741.1.13.1';

const COMPONENTS = 16;
const MAXIMUM_SGX_TYPE = 2;

/**
 * Reads Intel's extension. Requires every entry once, in the order of the ids, with its type and length.
 *
 * @returns null if the certificate has no such extension, or several
 * @throws {FormatError} `cert_format`
 */
export function parsePckExtension({ extensions }: X509Certificate): PckExtension | null {
  const extension = onlyExtension(extensions, PCK_EXTENSION);
  if (extension === null) return null;
  const entries = new Entries(parseDerSequence(extension.value, 'SGX extension'), PCK_EXTENSION);
  const ppid = entries.octets(1, 16, 'ppid');
  const tcb = new Entries(entries.open(2, 'tcb'), `${PCK_EXTENSION}.2`);
  const sgxTcbComponents = Array.from({ length: COMPONENTS }, (_, index) =>
    tcb.integer(index + 1, DER.integer, 0xff, 'TCB component'),
  );
  const pceSvn = tcb.integer(17, DER.integer, 0xffff, 'pcesvn');
  const cpuSvn = tcb.octets(18, 16, 'cpusvn');
  tcb.end('tcb');
  const pceId = entries.octets(3, 2, 'pceid');
  const fmspc = entries.octets(4, 6, 'fmspc');
  const sgxType = entries.integer(5, DER.enumerated, MAXIMUM_SGX_TYPE, 'SGX type');
  const platformInstanceId = entries.done ? null : entries.octets(6, 16, 'platform instance id');
  if (!entries.done) readConfiguration(entries);
  entries.end('SGX extension');
  return { ppid, sgxTcbComponents, pceSvn, cpuSvn, pceId, fmspc, sgxType, platformInstanceId };
}

/** Checks the form of dynamic platform, cached keys and SMT. No rule uses their values. */
function readConfiguration(entries: Entries): void {
  const configuration = new Entries(entries.open(7, 'configuration'), `${PCK_EXTENSION}.7`);
  for (const id of [1, 2, 3]) configuration.read(id, DER.boolean, 'configuration');
  configuration.end('configuration');
}

/** Reads a SEQUENCE of SEQUENCE { OID, value } in the order of the ids. */
class Entries {
  readonly #reader: DerReader;
  readonly #arc: string;

  constructor(reader: DerReader, arc: string) {
    this.#reader = reader;
    this.#arc = arc;
  }

  get done(): boolean {
    return this.#reader.done;
  }

  read(id: number, tag: number, what: string) {
    const entry = this.#reader.open(DER.sequence, what);
    const oid = oidText(entry.read(DER.oid, what).content);
    if (oid !== `${this.#arc}.${id}`) throw malformed(`expected ${what} of the SGX extension here`);
    const value = entry.read(tag, what);
    entry.end(what);
    return value;
  }

  open(id: number, what: string): DerReader {
    return this.read(id, DER.sequence, what).elements;
  }

  integer(id: number, tag: number, maximum: number, what: string): number {
    return smallUnsigned(this.read(id, tag, what).content, maximum, what);
  }

  octets(id: number, length: number, what: string): Uint8Array {
    const { content } = this.read(id, DER.octetString, what);
    if (content.byteLength !== length) throw malformed(`${what} is ${content.byteLength} bytes, expected ${length}`);
    return content;
  }

  end(what: string): void {
    this.#reader.end(what);
  }
}
