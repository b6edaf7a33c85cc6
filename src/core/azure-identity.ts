/**
 * An identity of this service in Microsoft Entra ID. Which one is always spelt out: nothing is tried one after the
 * other. Secrets stand in files.
 */
export type AzureIdentity =
  | ManagedIdentity
  | WorkloadIdentity<string | null>
  | ClientSecretIdentity<string | null>
  | ClientCertificateIdentity<string | null>;

/** That of the machine, whose environment says where its tokens come from. */
export interface ManagedIdentity {
  readonly kind: 'managed-identity';
  /** Of a user-assigned one. */
  readonly clientId: string | null;
}

/** That of a Kubernetes service account. Null: what the cluster puts into the environment. */
export interface WorkloadIdentity<Said extends string | null> {
  readonly kind: 'workload-identity';
  readonly tenantId: Said;
  readonly clientId: Said;
  readonly tokenFile: Said;
  /** Origin of Entra ID. */
  readonly authority: Said;
}

/** Authority null: that of the public cloud. */
export interface ClientSecretIdentity<Said extends string | null> {
  readonly kind: 'client-secret';
  readonly tenantId: string;
  readonly clientId: string;
  readonly secretFile: string;
  readonly authority: Said;
}

export interface ClientCertificateIdentity<Said extends string | null> {
  readonly kind: 'client-certificate';
  readonly tenantId: string;
  readonly clientId: string;
  /** PEM: certificate and its private key. */
  readonly certificateFile: string;
  readonly authority: Said;
}
