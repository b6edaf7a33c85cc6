/**
 * Why a gate does not let a request through. They are in the log and in figures, and never in an answer. Those that begin
 * with `receipt_` and stand below `receipt_own_nonce` are the steps of docs/receipts.md.
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

/** A gate stays closed. Why is for the log. */
export class GateRefusal extends Error {
  override readonly name = 'GateRefusal';
  readonly code: GateCode;

  constructor(code: GateCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The question of a proxy to a gate about a request of its client. Nothing of it is verified. */
export interface GateRequest {
  /** Name of the gate. */
  readonly gate: string;
  /** Of the client's request, as the proxy passed it on. */
  readonly method: string;
  /** Path of the client's request, as sent and without query; null where the proxy did not pass it on. */
  readonly path: string | null;
  readonly receipt: string;
  /** Where the receipt was: in a header of its own, or in Authorization under one of two schemes. */
  readonly scheme: 'header' | 'bearer' | 'dpop';
  /** The proof of the bound key (RFC 9449); null: none was sent. */
  readonly proof: string | null;
}

/** The facts that a proxy may pass to the service behind it. */
export interface GatePass {
  /** Of the decision that the receipt speaks of: a UUID. */
  readonly decisionId: string;
  /** When the receipt ends: ISO 8601, in UTC. */
  readonly expiresAt: string;
}

/** Whether a request may pass a gate. */
export interface GateUseCase {
  has(gate: string): boolean;
  /** @throws {GateRefusal} for every request that may not pass */
  open(request: GateRequest): Promise<GatePass>;
}

/** The proofs that were used, of all processes of the service. */
export interface ProofStore {
  /**
   * Notes that a proof is used.
   * @param gate its name: each has room of its own
   * @param proof a digest that is of this gate alone
   * @throws {RefusedError} `overloaded` where the gate has no more room
   * @throws {Error} where the store is out of reach
   */
  use(gate: string, proof: string): Promise<ProofUse>;
}

export interface ProofUse {
  /** Whether it was not used before. */
  readonly isNew: boolean;
  /** A proof from before this time may have been used without the store knowing. */
  readonly knownSince: Date;
}
