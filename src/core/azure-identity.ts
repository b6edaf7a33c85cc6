/**
 * An identity of this service in Microsoft Entra ID. The configuration always names one kind: the service does not try
 * several. Secrets are in files.
 */
export type AzureIdentity =
  | ManagedIdentity
  | WorkloadIdentity<string | null>
  | ClientSecretIdentity<string | null>
  | ClientCertificateIdentity<string | null>;

/** The identity of the machine, whose environment names the source of its tokens. */
export interface ManagedIdentity {
  readonly kind: 'managed-identity';
  /** Client id of a user-assigned identity. */
  readonly clientId: string | null;
}

/** The identity of a Kubernetes service account. Null: taken from variables that the cluster sets. */
export interface WorkloadIdentity<Value extends string | null> {
  readonly kind: 'workload-identity';
  readonly tenantId: Value;
  readonly clientId: Value;
  readonly tokenFile: Value;
  /** Origin of Entra ID. */
  readonly authority: Value;
}

/** Authority null: that of the public cloud. */
export interface ClientSecretIdentity<Value extends string | null> {
  readonly kind: 'client-secret';
  readonly tenantId: string;
  readonly clientId: string;
  readonly secretFile: string;
  readonly authority: Value;
}

export interface ClientCertificateIdentity<Value extends string | null> {
  readonly kind: 'client-certificate';
  readonly tenantId: string;
  readonly clientId: string;
  /** PEM: certificate and its private key. */
  readonly certificateFile: string;
  readonly authority: Value;
}
