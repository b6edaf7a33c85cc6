/**
 * Tokens of the container: symbols, and nothing else. Each token names the interface or value behind it; a missing
 * registration throws when it is resolved.
 */
export const TOKENS = {
  /** `SnpReportVerifier` (tee/shared/evidence/parts). */
  snpReportVerifier: Symbol('SnpReportVerifier'),
  /** `SnpReportVerifierOptions` (tee/snp/snp-report-verifier). */
  snpReportVerifierOptions: Symbol('SnpReportVerifierOptions'),
  /** `TdQuoteVerifier` (tee/shared/evidence/parts). */
  tdQuoteVerifier: Symbol('TdQuoteVerifier'),
  /** `TdQuoteVerifierOptions` (tee/tdx/td-quote-verifier). */
  tdQuoteVerifierOptions: Symbol('TdQuoteVerifierOptions'),
  /** `TpmQuoteVerifier` (tee/shared/evidence/parts). */
  tpmQuoteVerifier: Symbol('TpmQuoteVerifier'),
  /** `ParavisorFloors` (tee/shared/paravisor/paravisor-claims): by the ID_KEY_DIGESTs that count as known. */
  paravisorFloors: Symbol('paravisorFloors'),
  /** `ReadonlySet<string>`: MRTDs of paravisors that count as known, lower-case hex. */
  paravisorMrtds: Symbol('paravisorMrtds'),
  /** `AkRoots` (tee/shared/attestation-key/ak-roots). */
  akRoots: Symbol('AkRoots'),
  /** `MaaTokenVerifierOptions` (tee/maa/maa-token-verifier). */
  maaTokenVerifierOptions: Symbol('MaaTokenVerifierOptions'),
  /** `ItaTokenVerifierOptions` (tee/ita/ita-token-verifier). */
  itaTokenVerifierOptions: Symbol('ItaTokenVerifierOptions'),
  /** `ReadonlyMap<EvidenceType, EvidenceVerifier>` (core/verification). */
  evidenceVerifiers: Symbol('EvidenceVerifiers'),
  /** `InspectEvidenceUseCase` (workbench/inspections). */
  inspectEvidence: Symbol('InspectEvidenceUseCase'),
  /** `EndorsementSource` (core/endorsement). */
  endorsementSource: Symbol('EndorsementSource'),
} as const;
