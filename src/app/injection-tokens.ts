/**
 * Tokens of the container: symbols, and nothing else.
 * Each token names the interface or value behind it; a missing registration throws when it is resolved.
 */
export const TOKENS = {
  /** `VerifierOptions` (tee/verifier-options). */
  verifierOptions: Symbol('VerifierOptions'),
  /** `ReadonlyMap<EvidenceType, EvidenceVerifier>` (core/verification). */
  evidenceVerifiers: Symbol('EvidenceVerifiers'),
  /** `InspectEvidenceUseCase` (workbench/inspections). */
  inspectEvidence: Symbol('InspectEvidenceUseCase'),
  /** `EndorsementSource` (core/endorsement). */
  endorsementSource: Symbol('EndorsementSource'),
} as const;
