import type { JsonObject } from '../../src/core/json.js';
import { BearerTokens } from './bearer-tokens.js';
import { jsonAnswer, type LabAnswer, type LabRequest, LabServer } from './lab-server.js';

export interface LabManagedIdentityOptions {
  readonly clock?: () => Date;
  /** Where the tokens are kept, shared with those who take them. */
  readonly bearers?: BearerTokens;
  /** Client id of the identity of the VM itself. */
  readonly clientId?: string;
  /** Client ids of the identities that were assigned to it. */
  readonly userAssigned?: readonly string[];
  readonly lifetimeSeconds?: number;
}

/** Names by which a caller asks for an identity that was assigned. The lab knows identities by client id alone. */
const IDENTITY_PARAMETERS = ['client_id', 'object_id', 'principal_id', 'mi_res_id', 'msi_res_id'] as const;

/** The client library puts a slash behind an address that it was given. */
const TOKEN_PATH = /^\/metadata\/identity\/oauth2\/token\/?$/;

/** The token endpoint of an Azure VM's instance metadata service on loopback. HTTP, as the real one. */
export class LabManagedIdentity extends LabServer {
  readonly bearers: BearerTokens;
  readonly #clientId: string;
  readonly #userAssigned: ReadonlySet<string>;
  readonly #lifetimeSeconds: number;

  private constructor(options: LabManagedIdentityOptions) {
    super(options, 'http');
    this.bearers = options.bearers ?? new BearerTokens(options.clock);
    this.#clientId = options.clientId ?? '0d9f4f2e-31a5-4f0b-bb0c-6e7ad1a0c2f3';
    this.#userAssigned = new Set(options.userAssigned);
    this.#lifetimeSeconds = options.lifetimeSeconds ?? 86_399;
  }

  static async start(options: LabManagedIdentityOptions = {}): Promise<LabManagedIdentity> {
    const identity = new LabManagedIdentity(options);
    await identity.listen();
    return identity;
  }

  protected override respond({ method, url, headers }: LabRequest): LabAnswer {
    const { pathname, searchParams } = new URL(url, this.origin);
    if (!TOKEN_PATH.test(pathname)) return refusal(404, 'not_found', 'Not found');
    if (method !== 'GET') return refusal(405, 'method_not_allowed', 'Method not allowed');
    // a forged request cannot set a header, and one that came through a proxy is not the VM's own
    if (headers['metadata']?.toString().toLowerCase() !== 'true') {
      return refusal(400, 'invalid_request', 'Required metadata header not specified');
    }
    if (headers['x-forwarded-for'] !== undefined) return refusal(400, 'invalid_request', 'Forwarded request');
    if (!/^\d{4}-\d{2}-\d{2}$/.test(searchParams.get('api-version') ?? '')) {
      return refusal(400, 'invalid_request', 'Required query variable api-version is missing or invalid');
    }
    const resource = searchParams.get('resource');
    if (resource === null) return refusal(400, 'invalid_request', 'Required query variable resource is missing');
    const clientId = this.#identityAsked(searchParams);
    if (clientId === null) return refusal(400, 'invalid_request', 'Identity not found');
    return jsonAnswer(this.#grant(resource, clientId));
  }

  #identityAsked(asked: URLSearchParams): string | null {
    const name = IDENTITY_PARAMETERS.find((parameter) => asked.has(parameter));
    if (name === undefined) return this.#clientId;
    const id = asked.get(name) ?? '';
    return this.#userAssigned.has(id) ? id : null;
  }

  /** Numbers are texts here. */
  #grant(resource: string, clientId: string): JsonObject {
    const lifetimeSeconds = this.#lifetimeSeconds;
    const now = Math.floor(this.clock().getTime() / 1000);
    return {
      access_token: this.bearers.issue({ resource, clientId, lifetimeSeconds }),
      client_id: clientId,
      expires_in: String(lifetimeSeconds),
      expires_on: String(now + lifetimeSeconds),
      ext_expires_in: String(lifetimeSeconds),
      not_before: String(now),
      resource,
      token_type: 'Bearer',
    };
  }
}

function refusal(status: number, error: string, text: string): LabAnswer {
  return jsonAnswer({ error, error_description: text }, { status });
}
