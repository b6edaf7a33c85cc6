import { createHash } from 'node:crypto';
import { type BytePatch, joinBytes, littleEndian, patchBytes } from './byte-patch.js';
import type { TdBodyFields } from './td-body-builder.js';

const REPORT_LENGTH = 1024;
const TCB_INFO = { start: 256, end: 495, hashAt: 32 } as const;
const TD_INFO = { start: 512, end: 1024, hashAt: 80 } as const;
/** Which fields of TEE_TCB_INFO are there, as real reports have it. */
const VALID_TCB_FIELDS = Uint8Array.of(0xff, 0x01, 0x03, 0, 0, 0, 0, 0);

/** How a TDREPORT is made otherwise than genuinely. */
export interface TdReportMaking {
  /** 16 bytes. */
  readonly cpuSvn?: Uint8Array;
  /** Patches that the report's own hashes cover. */
  readonly beforeHashing?: readonly BytePatch[];
  /** Patches after these were made. */
  readonly afterHashing?: readonly BytePatch[];
}

/** Writes a TDREPORT_STRUCT, 1024 bytes: its own hashes right, and a MAC that stands for one of the platform. */
export function buildTdReport(fields: TdBodyFields, making: TdReportMaking = {}): Uint8Array {
  const written = patchBytes(new Uint8Array(REPORT_LENGTH), [
    { offset: 0, bytes: Uint8Array.of(0x81, 0, versionOf(fields), 0) },
    { offset: 16, bytes: making.cpuSvn ?? new Uint8Array(16).fill(0x04) },
    { offset: 128, bytes: fields.reportData },
    { offset: 224, bytes: new Uint8Array(32).fill(0xac) },
    { offset: TCB_INFO.start, bytes: tcbInfo(fields) },
    { offset: TD_INFO.start, bytes: tdInfo(fields) },
    ...(making.beforeHashing ?? []),
  ]);
  const hashed = patchBytes(written, [hashOf(written, TCB_INFO), hashOf(written, TD_INFO)]);
  return patchBytes(hashed, making.afterHashing ?? []);
}

/** REPORTTYPE.VERSION, as the TDX module writes it: 1 if a service TD is bound. */
function versionOf({ mrServiceTd }: TdBodyFields): 0 | 1 {
  return mrServiceTd.some((byte) => byte !== 0) ? 1 : 0;
}

function tcbInfo(fields: TdBodyFields): Uint8Array {
  return joinBytes(
    VALID_TCB_FIELDS,
    fields.teeTcbSvn,
    fields.mrSeam,
    fields.mrSignerSeam,
    littleEndian(fields.seamAttributes, 8),
    fields.teeTcbSvn2,
  );
}

function tdInfo(fields: TdBodyFields): Uint8Array {
  return joinBytes(
    littleEndian(fields.tdAttributes, 8),
    littleEndian(fields.xfam, 8),
    fields.mrTd,
    fields.mrConfigId,
    fields.mrOwner,
    fields.mrOwnerConfig,
    ...fields.rtmrs,
    fields.mrServiceTd,
  );
}

function hashOf(report: Uint8Array, part: { readonly start: number; readonly end: number; readonly hashAt: number }) {
  const bytes = createHash('sha384').update(report.subarray(part.start, part.end)).digest();
  return { offset: part.hashAt, bytes };
}
