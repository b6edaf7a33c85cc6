/**
 * Why a gate rejects a request. Log and metrics have these codes, answers never do. Codes that begin
 * with `receipt_`, after `receipt_own_nonce`, are steps of docs/receipts.md.
 */
export const GATE_CODES = [
  'gate_unknown',
  'gate_path',
  'gate_protocol',
  'gate_method',
  'gate_clock',
  'gate_policy',
  'receipt_missing',
  'receipt_repeated',
  'receipt_id',
  'receipt_own_nonce',
  'receipt_form',
  'receipt_header',
  'receipt_key',
  'receipt_keys_unavailable',
  'receipt_signature',
  'receipt_issuer',
  'receipt_audience',
  'receipt_nonce',
  'receipt_time',
  'receipt_profile',
  'receipt_policy',
  'receipt_evidence_type',
  'receipt_decision',
  'receipt_binding',
  'dpop_missing',
  'dpop_repeated',
  'dpop_scheme',
  'dpop_url',
  'dpop_form',
  'dpop_header',
  'dpop_key',
  'dpop_signature',
  'dpop_method',
  'dpop_target',
  'dpop_time',
  'dpop_receipt',
  'dpop_replayed',
  'dpop_memory',
] as const;

export type GateCode = (typeof GATE_CODES)[number];

/** A gate stays closed. The reason is for the log. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal';
  readonly code: GateCode;

  constructor(code: GateCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A proxy's request to a gate, about a request of its client. Nothing of it is verified. */
export interface GateRequest {
  /** Name of the gate. */
  readonly gate: string;
  /** Method of the client's request, as the proxy passed it on. */
  readonly method: string;
  /** Path of the client's request, as sent and without query; null if the proxy did not pass it on. */
  readonly path: string | null;
  readonly receipt: string;
  /** Where the receipt was: in its own header, or in Authorization under one of two schemes. */
  readonly scheme: 'header' | 'bearer' | 'dpop';
  /** The proof of the bound key (RFC 9449); null if none was sent. */
  readonly proof: string | null;
}

/** The facts that a proxy may pass to the service behind it. */
export interface GatePass {
  /** Id of the decision in the receipt: a UUID. */
  readonly decisionId: string;
  /** Expiry of the receipt: ISO 8601, in UTC. */
  readonly expiresAt: string;
}

/** Whether a request may pass a gate. */
export interface GateUseCase {
  has(gate: string): boolean;
  /** @throws {GateRefusal} for every request that may not pass */
  open(request: GateRequest): Promise<GatePass>;
}

/** The used proofs of all processes of the service. */
export interface ProofStore {
  /**
   * Records the use of a proof.
   * @param gate its name: each gate has a separate capacity
   * @param proof a digest, unique to this gate
   * @throws {RefusedError} `overloaded` if the gate has no more room
   * @throws {Error} if the store is unreachable
   */
  use(gate: string, proof: string): Promise<ProofUse>;
}

export interface ProofUse {
  /** Whether it was not used before. */
  readonly isNew: boolean;
  /** A proof from before this time may have been used without a record in the store. */
  readonly knownSince: Date;
}
