/**
 * Tokens of the container, in the lowest room, so that classes that it makes can name them: symbols, and nothing else.
 * Each token names the interface or value behind it; a missing registration throws when it is resolved.
 */
export const TOKENS = {
  /** `SnpReportVerifier` (verifiers/evidence/parts). */
  snpReportVerifier: Symbol('SnpReportVerifier'),
  /** `SnpReportVerifierOptions` (verifiers/snp/snp-report-verifier). */
  snpReportVerifierOptions: Symbol('SnpReportVerifierOptions'),
  /** `TdQuoteVerifier` (verifiers/evidence/parts). */
  tdQuoteVerifier: Symbol('TdQuoteVerifier'),
  /** `TdQuoteVerifierOptions` (verifiers/tdx/td-quote-verifier). */
  tdQuoteVerifierOptions: Symbol('TdQuoteVerifierOptions'),
  /** `TpmQuoteVerifier` (verifiers/evidence/parts). */
  tpmQuoteVerifier: Symbol('TpmQuoteVerifier'),
  /** `ParavisorFloors` (verifiers/paravisor/paravisor-claims): by the ID_KEY_DIGESTs that count as known. */
  paravisorFloors: Symbol('paravisorFloors'),
  /** `ReadonlySet<string>`: MRTDs of paravisors that count as known, lower-case hex. */
  paravisorMrtds: Symbol('paravisorMrtds'),
  /** `number`: the longest event log that is read, in bytes. */
  eventLogBytes: Symbol('eventLogBytes'),
  /** `AkRoots` (verifiers/attestation-key/ak-roots). */
  akRoots: Symbol('AkRoots'),
  /** `MaaTokenVerifierOptions` (verifiers/maa/maa-token-verifier). */
  maaTokenVerifierOptions: Symbol('MaaTokenVerifierOptions'),
  /** `ItaTokenVerifierOptions` (verifiers/trust-authority/ita-token-verifier). */
  itaTokenVerifierOptions: Symbol('ItaTokenVerifierOptions'),
  /** `ReadonlyMap<EvidenceType, EvidenceVerifier>` (model/verification). */
  evidenceVerifiers: Symbol('EvidenceVerifiers'),
  /** `InspectEvidenceUseCase` (service/inspections). */
  inspectEvidence: Symbol('InspectEvidenceUseCase'),
  /** `EndorsementSource` (model/endorsement). */
  endorsementSource: Symbol('EndorsementSource'),
  /** `Clock` (model/ports). */
  clock: Symbol('Clock'),
} as const;
