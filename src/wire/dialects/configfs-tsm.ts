import { FormatError } from '../../model/errors.js';
import type { SnpEvidence } from '../../model/evidence.js';
import { NO_SNP_ENDORSEMENTS, readBytes } from '../encoded-members.js';
import { refuseForeignStructure } from '../foreign-structure.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `configfs-tsm`: attributes of a Linux TSM report, for SEV-SNP (Documentation/ABI/testing/configfs-tsm).
 *
 * `provider` may be left out; the report has to be one of SEV-SNP all the same. The kernel ends the attribute with a
 * line feed, which a guest may have kept. An empty `auxblob` is a host that gave no certificates.
 *
 * @throws {FormatError} `encoding`; `type_mismatch` for the provider of another TEE
 */
export function readConfigfsTsm(evidence: Schemas['ConfigfsTsmEvidence'], pointer: string): SnpEvidence {
  const { provider, outblob, auxblob } = evidence.value;
  if (provider !== undefined && provider.trimEnd() !== 'sev_guest') {
    throw new FormatError('type_mismatch', 'provider of another TEE', { pointer: `${pointer}/value/provider` });
  }
  const report = readBytes(outblob, `${pointer}/value/outblob`);
  refuseForeignStructure(report, 'SNP report', `${pointer}/value/outblob`);
  const table = auxblob === undefined || auxblob === '' ? null : readBytes(auxblob, `${pointer}/value/auxblob`);
  return { type: 'snp', report, runtimeData: null, endorsements: { ...NO_SNP_ENDORSEMENTS, certificateTable: table } };
}
