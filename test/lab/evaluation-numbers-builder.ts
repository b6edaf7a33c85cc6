import type { IntelAuthority, IntelPki } from './intel-pki.js';
import { buildSignedDocument, type SignedDocumentMaking, windowOf } from './signed-document.js';

/** A TCB recovery as Intel lists it. */
export interface ListedRecovery {
  readonly number: number;
  /** RFC 3339; the genuine ones if left out. */
  readonly eventDate?: string;
  readonly tcbDate?: string;
}

/** How a list of TCB evaluation data numbers is made. What is left out is genuine. */
export interface EvaluationNumbersMaking extends SignedDocumentMaking {
  /** In this order. */
  readonly recoveries?: readonly ListedRecovery[];
  /** Another certificate than that of TCB signing, and its key. */
  readonly tcbSigning?: IntelAuthority;
}

/** The list with the chain of its signer, PEM. */
export interface ListOfEvaluationNumbers {
  readonly text: string;
  readonly signature: Uint8Array;
  readonly issuerChain: string;
}

/** Intel's list of June 2025. */
export const RECOVERIES = [
  { number: 19, eventDate: '2025-05-13T00:00:00Z', tcbDate: '2025-05-14T00:00:00Z' },
  { number: 18, eventDate: '2024-11-12T00:00:00Z', tcbDate: '2024-11-13T00:00:00Z' },
  { number: 17, eventDate: '2024-03-12T00:00:00Z', tcbDate: '2024-03-13T00:00:00Z' },
] as const satisfies readonly ListedRecovery[];

/** A list of TCB evaluation data numbers of TDX, version 1, members in Intel's order. */
export function buildEvaluationNumbers(
  pki: IntelPki,
  at: Date,
  { recoveries = RECOVERIES, tcbSigning = pki.tcbSigning, ...making }: EvaluationNumbersMaking = {},
): ListOfEvaluationNumbers {
  const members = {
    id: 'TDX',
    version: 1,
    ...windowOf(making, at),
    tcbEvalNumbers: recoveries.map(({ number, eventDate, tcbDate }) => ({
      tcbEvaluationDataNumber: number,
      tcbRecoveryEventDate: eventDate ?? RECOVERIES[0].eventDate,
      tcbDate: tcbDate ?? RECOVERIES[0].tcbDate,
    })),
  };
  return { ...buildSignedDocument(members, tcbSigning.key, making), issuerChain: pki.tcbIssuerChain(tcbSigning) };
}
