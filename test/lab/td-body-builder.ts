import { joinBytes, littleEndian } from './byte-patch.js';

/** Fields of a TD report body, as a quote carries it. Sizes that are not the right ones shift what follows. */
export interface TdBodyFields {
  /** 16 bytes: SVN of the module, its major version, SVN of the microcode, … */
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: bigint;
  readonly tdAttributes: bigint;
  readonly xfam: bigint;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  readonly rtmrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** Of TD 1.5 bodies, and of every TDREPORT. */
  readonly teeTcbSvn2: Uint8Array;
  readonly mrServiceTd: Uint8Array;
  /** Of extended TD 1.5 bodies. What is left out is zero: no service TD was ever bound. */
  readonly extension?: Partial<TdExtensionFields>;
}

/** The members of an extended TD 1.5 body after a TD 1.5 body, in this order. */
export interface TdExtensionFields {
  /** 1 byte. */
  readonly vmId: Uint8Array;
  readonly tdId: Uint8Array;
  readonly deviceInfo: Uint8Array;
  readonly initHash: Uint8Array;
  readonly initAttributes: Uint8Array;
  readonly initCpuSvn: Uint8Array;
  readonly initTcbSvn: Uint8Array;
  readonly initModel: Uint8Array;
  readonly currentHash: Uint8Array;
  readonly currentAttributes: Uint8Array;
}

/** TD report 1.0 (584 bytes), 1.5 (648 bytes) and extended 1.5 (885 bytes). */
export type TdBodyKind = 'td10' | 'td15' | 'td15Extended';

/** Bits of TDATTRIBUTES. */
export const TD_ATTRIBUTE = {
  debug: 1n << 0n,
  hgsPlusProf: 1n << 4n,
  perfProf: 1n << 5n,
  pmtProf: 1n << 6n,
  icssd: 1n << 16n,
  serviceTdExt: 1n << 17n,
  lass: 1n << 27n,
  septVeDisable: 1n << 28n,
  migratable: 1n << 29n,
  pks: 1n << 30n,
  keyLocker: 1n << 31n,
  tpa: 1n << 62n,
  perfmon: 1n << 63n,
} as const;

/** Modules of Intel have no signer, attributes or configuration; the TD is one that nothing was configured for. */
const ZERO_48 = new Uint8Array(48);

/** TEE_TCB_SVN of a platform that is up to date: module TDX_01 of SVN 6. */
export const TEE_CURRENT_TCB_SVN: Uint8Array = Uint8Array.of(6, 1, 8, ...new Uint8Array(13));

/** A TD that Linux runs in, on bare metal: SEPT_VE_DISABLE set, boot measured in the RTMRs. */
export function linuxTdFields(): TdBodyFields {
  return {
    teeTcbSvn: TEE_CURRENT_TCB_SVN,
    mrSeam: new Uint8Array(48).fill(0x5e),
    mrSignerSeam: ZERO_48,
    seamAttributes: 0n,
    tdAttributes: TD_ATTRIBUTE.septVeDisable,
    xfam: 0xe7n,
    mrTd: new Uint8Array(48).fill(0xd1),
    mrConfigId: ZERO_48,
    mrOwner: ZERO_48,
    mrOwnerConfig: ZERO_48,
    rtmrs: [rtmr(0xa0), rtmr(0xa1), rtmr(0xa2), rtmr(0xa3)],
    reportData: new Uint8Array(64),
    teeTcbSvn2: TEE_CURRENT_TCB_SVN,
    mrServiceTd: ZERO_48,
  };
}

/** MRTD of the lab's paravisor for TDX, hex. Microsoft publishes none. */
export const AZURE_MRTD = 'c4'.repeat(48);

/** The TD of an Azure confidential VM: SEPT_VE_DISABLE clear, RTMRs zero, since the vTPM measures the boot. */
export function azureTdFields(): TdBodyFields {
  return {
    ...linuxTdFields(),
    tdAttributes: 0n,
    xfam: 0x618e7n,
    mrTd: Uint8Array.from(Buffer.from(AZURE_MRTD, 'hex')),
    rtmrs: [ZERO_48, ZERO_48, ZERO_48, ZERO_48],
  };
}

const NO_EXTENSION: TdExtensionFields = {
  vmId: new Uint8Array(1),
  tdId: new Uint8Array(32),
  deviceInfo: ZERO_48,
  initHash: ZERO_48,
  initAttributes: new Uint8Array(8),
  initCpuSvn: new Uint8Array(16),
  initTcbSvn: new Uint8Array(16),
  initModel: new Uint8Array(12),
  currentHash: ZERO_48,
  currentAttributes: new Uint8Array(8),
};

export function buildTdBody(fields: TdBodyFields, kind: TdBodyKind): Uint8Array {
  return joinBytes(
    fields.teeTcbSvn,
    fields.mrSeam,
    fields.mrSignerSeam,
    littleEndian(fields.seamAttributes, 8),
    littleEndian(fields.tdAttributes, 8),
    littleEndian(fields.xfam, 8),
    fields.mrTd,
    fields.mrConfigId,
    fields.mrOwner,
    fields.mrOwnerConfig,
    ...fields.rtmrs,
    fields.reportData,
    ...(kind === 'td10' ? [] : [fields.teeTcbSvn2, fields.mrServiceTd]),
    ...(kind === 'td15Extended' ? Object.values({ ...NO_EXTENSION, ...fields.extension }) : []),
  );
}

function rtmr(byte: number): Uint8Array {
  return new Uint8Array(48).fill(byte);
}
