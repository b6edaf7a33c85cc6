import type { Evidence, EvidenceType, TokenEvidence } from './evidence.js';
import type { JsonObject } from './json.js';

/** The form of the id of a policy. */
export const POLICY_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** A decoded `POST /verify` body: schema and encodings are valid, nothing is verified. */
export interface VerifyRequest {
  readonly evidence: Evidence;
  /** Other verifiers' tokens about the same TEE: at most one of each type. */
  readonly attestationResults: readonly TokenEvidence[];
  /** 8 to 64 bytes. */
  readonly nonce: Uint8Array | null;
  /** Public JWK to bind; only together with a nonce. */
  readonly bindingJwk: JsonObject | null;
  /** Public key as PEM, instead of `bindingJwk`. Absent if none was sent. */
  readonly bindingPem?: BindingPem;
  /** Policy ids; null for the configured default. */
  readonly policies: readonly string[] | null;
  readonly audience: string | null;
  /** Historical verification time. */
  readonly at: Date | null;
  /** The requested key. Absent if there is none. */
  readonly release?: ReleaseTerms;
  /** The JSON text of the body. Absent if there was none. */
  readonly body?: Uint8Array;
}

/** A public key as a guest writes it into signed data. */
export interface BindingPem {
  /** The hashed text. */
  readonly text: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

/** The conditions of a key release, beside its policy. */
export interface ReleaseTerms {
  /** Id in the configuration. */
  readonly keyId: string;
  /** A vault encrypts its key to one in the token of Azure Attestation; a local key is encrypted to the bound key. */
  readonly kind: 'vault' | 'local';
  /** Whether the key may go to any VM that its policy allows. */
  readonly anyMachine: boolean;
  /** Whether the release is only simulated. */
  readonly dryRun: boolean;
}

/** A `POST /policies:evaluate` body: a policy text, and its input. */
export type EvaluationRequest = { readonly text: string; readonly comparison: 'strict' | 'compatible' } & (
  | { readonly on: 'evidence'; readonly request: VerifyRequest }
  | { readonly on: 'claims'; readonly claims: JsonObject; readonly type: EvidenceType | null; readonly at: Date | null }
);

/** A `POST /challenges` body. */
export interface ChallengeRequest {
  readonly audience: string | null;
  readonly policy: string | null;
  readonly evidenceType: string | null;
}

export const ROLES = ['verify', 'release', 'policy:read', 'audit:read', 'metrics'] as const;
export type Role = (typeof ROLES)[number];

/** The caller, after authentication. */
export interface Caller {
  /** Name from the configuration, or `local` if no callers are configured. */
  readonly principal: string;
  readonly tenant: string;
  readonly roles: ReadonlySet<Role>;
  /** Policies that the caller may name; null: any. */
  readonly policies: ReadonlySet<string> | null;
  /** Audiences that the caller may name; null: any. */
  readonly audiences: ReadonlySet<string> | null;
  /** Ids of keys that the caller may have released, with the role `release`. */
  readonly keys: ReadonlySet<string>;
}
