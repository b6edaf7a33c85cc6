import { createHash } from 'node:crypto';
import {
  type GateCode,
  type GatePass,
  GateRefusal,
  type GateRequest,
  type GateUseCase,
  type ProofStore,
} from '../../core/gate.js';
import type { JsonObject } from '../../core/json.js';
import type { Clock } from '../../core/ports.js';
import { checkReceipt, type VerifiedReceipt } from '../../relying-party/check-receipt.js';
import { type CheckedExpectations, NONCE_NOT_EXPECTED, subjectOf } from '../../relying-party/expectations.js';
import type { ReceiptKeySource } from '../../relying-party/key-source.js';
import { ReceiptError } from '../../relying-party/receipt-error.js';
import { checkProof } from './dpop-proof.js';

/** The configuration of a gate. */
export interface Gate {
  /** `aud` of the receipts that the gate accepts. */
  readonly audience: string;
  /** Id of the policy that must have allowed. */
  readonly policy: string;
  /** The tenant of the receipts that the gate accepts. */
  readonly tenant: string;
  /** Origin of the service behind the gate, as clients use it; null: clients cannot prove possession of a key. */
  readonly url: string | null;
  /** Whether the gate accepts a receipt whose nonce is not a challenge of the service. */
  readonly ownNonces: boolean;
}

/** The part of a policy that a gate uses. */
interface GatePolicy {
  /** SHA-256 of its text, hex. */
  readonly sha256: string;
  readonly accepts: readonly string[];
  readonly binding: 'optional' | 'required';
}

export interface GatesParts {
  readonly gates: Readonly<Record<string, Gate>>;
  /** The service's own keys, so that no request is needed. */
  readonly keys: { published(): readonly JsonObject[] };
  /** `iss` of receipts; null until the port is open. */
  readonly issuer: () => string | null;
  /** The policies that a tenant has in use now. */
  readonly policies: (tenant: string) => { get(id: string): GatePolicy | undefined };
  readonly proofs: ProofStore;
  /** `doubt` is null if the time is reliable. */
  readonly clock: Clock & { doubt(): object | null };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Gates in front of other services. A gate lets requests with a valid receipt of this service through. */
export class Gates implements GateUseCase {
  readonly #parts: GatesParts;
  readonly #gates: ReadonlyMap<string, Gate>;

  constructor(parts: GatesParts) {
    this.#parts = parts;
    this.#gates = new Map(Object.entries(parts.gates));
  }

  has(gate: string): boolean {
    return this.#gates.has(gate);
  }

  async open(request: GateRequest): Promise<GatePass> {
    const gate = this.#gates.get(request.gate);
    if (gate === undefined) throw new GateRefusal('gate_unknown', 'there is no such gate');
    const { clock } = this.#parts;
    if (clock.doubt() !== null) throw new GateRefusal('gate_clock', 'the clock cannot be relied on');
    const now = clock.now();
    const policy = this.#parts.policies(gate.tenant).get(gate.policy);
    if (policy === undefined) throw new GateRefusal('gate_policy', 'the policy of the gate is not in force');
    const proved = provedBy(request, gate, policy);
    const receipt = await this.#verified(request.receipt, gate, policy, { isBound: proved !== null, now });
    const { decisionId, expiresAt, boundKey, claims } = receipt;
    if (!gate.ownNonces && claims['veritee_nonce'] !== 'challenge') {
      throw new GateRefusal('receipt_own_nonce', 'the receipt does not name a challenge of the service as its nonce');
    }
    if (decisionId === null || !UUID.test(decisionId)) {
      throw new GateRefusal('receipt_id', 'the receipt does not name its decision');
    }
    if (proved === null) return { decisionId, expiresAt };
    if (boundKey === null) throw new GateRefusal('receipt_binding', 'the receipt names no bound key');
    const expected = { key: boundKey, receipt: request.receipt, method: request.method, now, ...proved.target };
    const { jti, madeAt } = await checkProof(proved.proof, expected);
    await this.#useUp(request.gate, [boundKey.jkt, jti], madeAt);
    return { decisionId, expiresAt };
  }

  /**
   * @param id thumbprint of the key and `jti`: holders of other keys can choose any ids
   * @throws {GateRefusal} `dpop_replayed`, `dpop_memory`, `dpop_time`
   */
  async #useUp(gate: string, id: readonly [jkt: string, jti: string], madeAt: Date): Promise<void> {
    // A digest, so that the length of ids does not matter.
    const proof = createHash('sha256')
      .update(JSON.stringify([gate, ...id]))
      .digest('base64url');
    const { isNew, knownSince } = await this.#parts.proofs.use(gate, proof).catch((cause: unknown) => {
      throw new GateRefusal('dpop_memory', 'the proof cannot be noted as used', { cause });
    });
    if (!isNew) throw new GateRefusal('dpop_replayed', 'the proof was used before');
    if (madeAt < knownSince) throw new GateRefusal('dpop_time', 'whether the proof was used before is not known');
  }

  async #verified(
    receipt: string,
    { audience, policy: id, tenant }: Gate,
    { sha256, accepts }: GatePolicy,
    { isBound, now }: { readonly isBound: boolean; readonly now: Date },
  ): Promise<VerifiedReceipt> {
    const issuer = this.#parts.issuer();
    if (issuer === null) throw new GateRefusal('receipt_issuer', 'the service has no name before it listens');
    const expected: CheckedExpectations = {
      issuer,
      audience,
      nonce: NONCE_NOT_EXPECTED,
      subject: subjectOf(tenant, [id]),
      policies: [{ id, sha256 }],
      evidenceTypes: accepts,
      binding: isBound ? 'required' : null,
    };
    try {
      return await checkReceipt(receipt, this.#ownKeys(), expected, now);
    } catch (cause) {
      if (!(cause instanceof ReceiptError)) throw cause;
      const code: GateCode = cause.code;
      throw new GateRefusal(code, cause.message, { cause });
    }
  }

  #ownKeys(): ReceiptKeySource {
    return { find: async (kid) => this.#parts.keys.published().filter((key) => key['kid'] === kid) };
  }
}

/**
 * Returns the proof and its expected request; null if no proof is needed. A proof is also checked if the
 * policy binds no key: its sender relies on it.
 *
 * @throws {GateRefusal} `dpop_missing`, `dpop_scheme`, `dpop_url`
 */
function provedBy({ scheme, proof, path }: GateRequest, { url }: Gate, { binding }: GatePolicy) {
  if (binding !== 'required' && scheme !== 'dpop' && proof === null) return null;
  if (proof === null) throw new GateRefusal('dpop_missing', 'there is no proof of the bound key');
  // RFC 9449, section 7.2: a receipt bound to a key is not accepted as a bearer token.
  if (scheme === 'bearer') throw new GateRefusal('dpop_scheme', 'a receipt with a proof was sent as a bearer token');
  if (url === null) throw new GateRefusal('dpop_url', 'the gate has no url that a proof could be for');
  if (path === null) throw new GateRefusal('dpop_url', 'the proxy did not pass on the path');
  return { proof, target: { origin: url, path } };
}
