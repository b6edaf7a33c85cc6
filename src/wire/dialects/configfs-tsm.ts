import { FormatError } from '../../core/errors.js';
import type { SnpEvidence, TdxEvidence } from '../../core/evidence.js';
import { isObject, type JsonValue } from '../../core/json.js';
import { NO_SNP_ENDORSEMENTS, readBytes, readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `configfs-tsm`: attributes of a Linux TSM report (Documentation/ABI/testing/configfs-tsm), for SEV-SNP.
 *
 * `provider` is optional; the report must be an SEV-SNP report in any case. The kernel ends the attribute with a
 * line feed, which a guest may have kept. An empty `auxblob` means that the host provided no certificates.
 *
 * @throws {FormatError} `encoding`; `type_mismatch` for the provider of another TEE
 */
export function readConfigfsTsmSnp(evidence: Schemas['ConfigfsTsmSnpEvidence'], pointer: string): SnpEvidence {
  const { provider, outblob, auxblob } = evidence.value;
  requireProvider(provider, 'sev_guest', pointer);
  const report = readStructure(outblob, `${pointer}/value/outblob`);
  refuseForeignStructure(report, 'SNP report', `${pointer}/value/outblob`);
  const table = auxblob === undefined || auxblob === '' ? null : readBytes(auxblob, `${pointer}/value/auxblob`);
  return { type: 'snp', report, runtimeData: null, endorsements: { ...NO_SNP_ENDORSEMENTS, certificateTable: table } };
}

/**
 * Dialect `configfs-tsm` for TDX, whose `outblob` is the quote.
 *
 * @throws {FormatError} `encoding`; `type_mismatch` for the provider of another TEE
 */
export function readConfigfsTsmTdx(evidence: Schemas['ConfigfsTsmTdxEvidence'], pointer: string): TdxEvidence {
  const { provider, outblob } = evidence.value;
  requireProvider(provider, 'tdx_guest', pointer);
  const quote = readStructure(outblob, `${pointer}/value/outblob`);
  refuseForeignStructure(quote, 'TD quote', `${pointer}/value/outblob`);
  return { type: 'tdx', quote, runtimeData: null, collateral: null, ccel: null };
}

/**
 * Rejects an unknown provider before the schema, which also lists the providers of other TEEs.
 * @throws {FormatError} `schema`
 */
export function refuseUnknownProvider(expected: string, value: JsonValue | undefined, pointer: string): void {
  const provider = isObject(value) ? value['provider'] : undefined;
  if (typeof provider !== 'string' || PROVIDERS.has(provider.replace(/\n$/, ''))) return;
  throw new FormatError('schema', `the value is not a provider, expected ${expected}`, {
    pointer: `${pointer}/provider`,
  });
}

/** The providers in Linux (drivers/virt/coco). */
const PROVIDERS: ReadonlySet<string> = new Set(['sev_guest', 'tdx_guest', 'arm_cca_guest']);

function requireProvider(provider: string | undefined, expected: string, pointer: string): void {
  if (provider === undefined || provider.trimEnd() === expected) return;
  const message = `this is the provider of another TEE, expected ${expected}`;
  throw new FormatError('type_mismatch', message, { pointer: `${pointer}/value/provider` });
}
