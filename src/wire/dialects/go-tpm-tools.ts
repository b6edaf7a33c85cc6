import { within } from '../../core/errors.js';
import type { TpmEvidence } from '../../core/evidence.js';
import { pemOf } from '../../formats/pem.js';
import { parseGoTpmAttestation } from '../../tee/tpm/format/go-tpm-attestation.js';
import { sizedPublic } from '../../tee/tpm/format/tpmt-public.js';
import { readStructure, refuseForeignStructure } from '../encoded-members.js';
import type { Schemas } from '../schema-check.js';

/**
 * Dialect `go-tpm-tools`: an `attest.Attestation` of google/go-tpm-tools in binary protobuf. Base64 has no pointers into it:
 * errors point to the whole text, and name the field.
 *
 * @throws {FormatError} `encoding`; as `parseGoTpmAttestation`; `type_mismatch` for another structure than a quote
 */
export function readGoTpmTools(evidence: Schemas['GoTpmToolsEvidence'], pointer: string): TpmEvidence {
  const at = `${pointer}/value`;
  const bytes = readStructure(evidence.value, at);
  refuseForeignStructure(bytes, 'go-tpm-tools attestation', at);
  const { akPublic, quote, eventLog, akCertificate, intermediates } = within(at, () => parseGoTpmAttestation(bytes));
  const { message, signature, pcrs } = quote;
  refuseForeignStructure(message, 'TPM quote', at);
  return {
    type: 'tpm',
    tpmQuote: { message, signature, pcrs: new Map([['sha256', pcrs]]) },
    ak: {
      certificate: { der: akCertificate },
      chain: intermediates.length === 0 ? null : intermediates.map(pemOf).join(''),
    },
    akPublic: sizedPublic(akPublic),
    akPublicName: 'ak_pub',
    eventLog: eventLog === null ? null : [eventLog],
  };
}
