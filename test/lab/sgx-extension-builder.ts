import { boolean, der, integer, octetString, oid, sequence } from './der-writer.js';
import type { LabExtension } from './pki.js';

/** The extension of a PCK certificate. */
export const SGX_EXTENSION_OID = '1.2.840.113741.1.13.1';

/** The two CAs of PCK certificates: for platforms of several packages, and for single processors. */
export type PckCaKind = 'platform' | 'processor';

/** The content of a PCK certificate about its platform. */
export interface SgxExtensionFields {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** SVNs of the 16 SGX TCB components. */
  readonly svns: readonly number[];
  readonly pceSvn: number;
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  readonly sgxType: number;
  /** Null leaves platform instance and configuration out, as under the Processor CA. */
  readonly platform: {
    readonly instanceId: Uint8Array;
    readonly dynamic: boolean;
    readonly cachedKeys: boolean;
    readonly smt: boolean;
  } | null;
}

/** One SEQUENCE of an OID and a value, which is DER. */
export interface SgxItem {
  readonly oid: string;
  readonly value: Uint8Array;
}

/** Makes another list of the genuine one. A whole encoding may stand for an item. */
export type SgxItemsChange = (genuine: readonly SgxItem[]) => readonly (SgxItem | Uint8Array)[];

export interface SgxExtensionMaking {
  readonly fields?: Partial<SgxExtensionFields>;
  /** Changes the items of the extension. */
  readonly items?: SgxItemsChange;
  /** Changes the items of its TCB: 16 components, PCESVN, CPUSVN. */
  readonly tcbItems?: SgxItemsChange;
}

/** SVNs of the SGX TCB components of a platform that is up to date. */
export const SGX_CURRENT_SVNS: readonly number[] = [8, 8, 2, 2, 4, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
export const PCE_CURRENT_SVN = 11;

/** A platform that is up to date, as the CA of its kind certifies it. */
export function sgxFieldsUnder(ca: PckCaKind): SgxExtensionFields {
  return {
    ppid: new Uint8Array(16).fill(0x9d),
    svns: SGX_CURRENT_SVNS,
    pceSvn: PCE_CURRENT_SVN,
    cpuSvn: Uint8Array.from(SGX_CURRENT_SVNS),
    pceId: new Uint8Array(2),
    fmspc: Buffer.from('00806f050000', 'hex'),
    sgxType: ca === 'platform' ? 1 : 0,
    platform:
      ca === 'platform'
        ? { instanceId: new Uint8Array(16).fill(0x6b), dynamic: true, cachedKeys: false, smt: true }
        : null,
  };
}

/** Writes the extension in Intel's order. Nothing is checked. */
export function buildSgxExtension(
  fields: SgxExtensionFields,
  { items = same, tcbItems = same }: Omit<SgxExtensionMaking, 'fields'> = {},
): LabExtension {
  const tcb = itemList(tcbItems(tcbOf(fields)));
  return { oid: SGX_EXTENSION_OID, value: itemList(items(itemsOf(fields, tcb))) };
}

function itemsOf(fields: SgxExtensionFields, tcb: Uint8Array): readonly SgxItem[] {
  const { platform } = fields;
  return [
    item('1', octetString(fields.ppid)),
    item('2', tcb),
    item('3', octetString(fields.pceId)),
    item('4', octetString(fields.fmspc)),
    item('5', der(0x0a, Uint8Array.of(fields.sgxType))),
    ...(platform === null
      ? []
      : [
          item('6', octetString(platform.instanceId)),
          item(
            '7',
            itemList([
              item('7.1', boolean(platform.dynamic)),
              item('7.2', boolean(platform.cachedKeys)),
              item('7.3', boolean(platform.smt)),
            ]),
          ),
        ]),
  ];
}

function tcbOf({ svns, pceSvn, cpuSvn }: SgxExtensionFields): readonly SgxItem[] {
  return [
    ...svns.map((svn, index) => item(`2.${index + 1}`, integer(svn))),
    item('2.17', integer(pceSvn)),
    item('2.18', octetString(cpuSvn)),
  ];
}

function item(arc: string, value: Uint8Array): SgxItem {
  return { oid: `${SGX_EXTENSION_OID}.${arc}`, value };
}

function itemList(items: readonly (SgxItem | Uint8Array)[]): Uint8Array {
  return sequence(...items.map((one) => (one instanceof Uint8Array ? one : sequence(oid(one.oid), one.value))));
}

const same: SgxItemsChange = (genuine) => genuine;
