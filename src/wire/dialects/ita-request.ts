import type { TdxEvidence } from '../../model/evidence.js';
import { readBytes, readOptionalBytes } from '../encoded-members.js';
import { refuseForeignStructure } from '../foreign-structure.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `ita`, version 1: the flat body of attest and attest/azure of Intel Trust Authority.
 *
 * Not looked at: what is for Intel alone (its nonce, policies, algorithm), the event log, which is no CCEL, and the user
 * data: REPORTDATA, or `user-data` of an Azure guest, holds SHA-512 over it and Intel's nonce.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readItaRequestV1(evidence: Schemas['ItaRequestEvidenceV1'], pointer: string): TdxEvidence {
  return tdxEvidence(evidence.value, `${pointer}/value`);
}

/**
 * Dialect `ita`, version 2: the same under `tdx`.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readItaRequestV2(evidence: Schemas['ItaRequestEvidenceV2'], pointer: string): TdxEvidence {
  return tdxEvidence(evidence.value.tdx, `${pointer}/value/tdx`);
}

function tdxEvidence(body: Pick<Schemas['ItaTdx'], 'quote' | 'runtime_data'>, pointer: string): TdxEvidence {
  const quote = readBytes(body.quote, `${pointer}/quote`);
  refuseForeignStructure(quote, 'TD quote', `${pointer}/quote`);
  return {
    type: 'tdx',
    quote,
    runtimeData: readOptionalBytes(body.runtime_data, `${pointer}/runtime_data`),
    collateral: null,
    ccel: null,
  };
}
