import type { TdxEvidence } from '../../core/evidence.js';
import { readBytes, readOptionalBytes, readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `ita`, version 1: the flat body of attest and attest/azure of Intel Trust Authority. Clients write `null` for missing
 * data. Older clients send runtime data that is not a paravisor's as user data.
 *
 * Ignored: members only for Intel (policies, algorithm, the signature of its nonce), the event log, whose form
 * depends on the version of the client, and user data beside runtime data: `user-data` of an Azure guest contains
 * SHA-512 over it and Intel's nonce.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readItaRequestV1(evidence: Schemas['ItaRequestEvidenceV1'], pointer: string): TdxEvidence {
  return tdxEvidence(evidence.value, `${pointer}/value`);
}

/**
 * Dialect `ita`, version 2: the same members under `tdx`.
 *
 * @throws {FormatError} `encoding`, `type_mismatch`
 */
export function readItaRequestV2(evidence: Schemas['ItaRequestEvidenceV2'], pointer: string): TdxEvidence {
  return tdxEvidence(evidence.value.tdx, `${pointer}/value/tdx`);
}

function tdxEvidence(body: Schemas['ItaTdx'], pointer: string): TdxEvidence {
  const quote = readStructure(body.quote, `${pointer}/quote`);
  refuseForeignStructure(quote, 'TD quote', `${pointer}/quote`);
  return {
    type: 'tdx',
    quote,
    runtimeData: readData(body, pointer),
    verifierNonce: readNonce(body.verifier_nonce, `${pointer}/verifier_nonce`),
    collateral: null,
    ccel: null,
  };
}

/** Returns null for missing or empty data, which does not change the hash. */
function readData({ runtime_data, user_data }: Schemas['ItaTdx'], pointer: string): Uint8Array | null {
  const data =
    typeof runtime_data === 'string'
      ? readBytes(runtime_data, `${pointer}/runtime_data`)
      : readOptionalBytes(user_data ?? undefined, `${pointer}/user_data`);
  return data?.byteLength === 0 ? null : data;
}

function readNonce(nonce: Schemas['ItaTdx']['verifier_nonce'], pointer: string): Uint8Array {
  if (nonce == null) return new Uint8Array();
  return Buffer.concat([readBytes(nonce.val, `${pointer}/val`), readBytes(nonce.iat, `${pointer}/iat`)]);
}
