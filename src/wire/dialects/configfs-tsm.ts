import { FormatError } from '../../core/errors.js';
import type { SnpEvidence, TdxEvidence } from '../../core/evidence.js';
import { isObject, type JsonValue } from '../../core/json.js';
import { NO_SNP_ENDORSEMENTS, readBytes, readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `configfs-tsm`: attributes of a Linux TSM report (Documentation/ABI/testing/configfs-tsm), for SEV-SNP.
 *
 * `provider` may be left out; the report has to be one of SEV-SNP all the same. The kernel ends the attribute with a
 * line feed, which a guest may have kept. An empty `auxblob` is a host that gave no certificates.
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
 * Refuses a provider of no TEE, before the schema, which lists those of other TEEs too.
 * @throws {FormatError} `schema`
 */
export function refuseUnknownProvider(expected: string, value: JsonValue | undefined, pointer: string): void {
  const provider = isObject(value) ? value['provider'] : undefined;
  if (typeof provider !== 'string' || PROVIDERS.has(provider.replace(/\n$/, ''))) return;
  throw new FormatError('schema', `the value is not a provider, expected ${expected}`, {
    pointer: `${pointer}/provider`,
  });
}

/** Those that Linux has (drivers/virt/coco). */
const PROVIDERS: ReadonlySet<string> = new Set(['sev_guest', 'tdx_guest', 'arm_cca_guest']);

function requireProvider(provider: string | undefined, expected: string, pointer: string): void {
  if (provider === undefined || provider.trimEnd() === expected) return;
  const message = `this is the provider of another TEE, expected ${expected}`;
  throw new FormatError('type_mismatch', message, { pointer: `${pointer}/value/provider` });
}
