import type { TdxEvidence } from '../../src/core/evidence.js';
import type { JsonObject } from '../../src/core/json.js';
import { buildCcel, type CcelEvent, replayCcel } from './ccel-builder.js';
import type { CollateralOptions } from './collateral-builder.js';
import { bindReportData, type ReportDataOptions } from './report-data.js';
import type { TdQuoteMaking } from './td-quote-builder.js';
import type { TdxPlatform } from './tdx-platform.js';
import { wireEvidence } from './wire-evidence.js';

export interface TdxGuestOptions {
  readonly platform: TdxPlatform;
  /** The measurements of the TD: its RTMRs are the replay of these events. */
  readonly ccel?: readonly CcelEvent[];
  /** The content of every quote of the guest. */
  readonly quote?: TdQuoteMaking;
}

/** The content of one piece of evidence, and its faults. */
export interface TdxGuestEvidenceOptions extends ReportDataOptions {
  readonly quote?: TdQuoteMaking;
  /** Collateral that comes with the quote; null: none. */
  readonly collateral?: CollateralOptions | null;
  /** Another log than the guest's, or bytes as they stand; null: none. */
  readonly ccel?: readonly CcelEvent[] | Uint8Array | null;
}

/** A TD that asks for its quote itself, without a paravisor. */
export class TdxGuest {
  readonly platform: TdxPlatform;
  readonly #options: TdxGuestOptions;

  constructor(options: TdxGuestOptions) {
    this.platform = options.platform;
    this.#options = options;
  }

  /** Native `tdx` evidence, decoded. */
  evidence(options: TdxGuestEvidenceOptions = {}): TdxEvidence {
    const { collateral = {} } = options;
    const { reportData, runtimeData } = bindReportData(options);
    return {
      type: 'tdx',
      quote: this.#quote(reportData, options.quote),
      runtimeData,
      collateral: collateral === null ? null : this.platform.collateral(collateral),
      ccel: logOf(options.ccel === undefined ? this.#options.ccel : options.ccel),
    };
  }

  /** The same as the member `evidence` of a request. */
  wireEvidence(options: TdxGuestEvidenceOptions = {}): JsonObject {
    return wireEvidence(this.evidence(options));
  }

  #quote(reportData: Uint8Array, making: TdQuoteMaking = {}): Uint8Array {
    const { ccel, quote: ofGuest = {} } = this.#options;
    const measured = ccel === undefined ? {} : { rtmrs: replayCcel(ccel) };
    const fields = { reportData, ...measured, ...ofGuest.fields, ...making.fields };
    return this.platform.quote({ ...ofGuest, ...making, fields });
  }
}

/** A bare TD on a platform. */
export function createTdxGuest(options: TdxGuestOptions): TdxGuest {
  return new TdxGuest(options);
}

function logOf(log: readonly CcelEvent[] | Uint8Array | null = null): Uint8Array | null {
  return log === null || log instanceof Uint8Array ? log : buildCcel(log);
}
