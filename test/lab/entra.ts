import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { BearerTokens } from './bearer-tokens.js';
import { type AssertingClient, type AssertionKind, clusterToken, verifyAssertion } from './entra-assertion.js';
import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An application that is registered in the tenant. */
export interface LabEntraClient extends AssertingClient {
  readonly secret?: string;
}

export interface LabEntraOptions extends LabServerOptions {
  readonly tenantId?: string;
  readonly clients?: readonly LabEntraClient[];
  /** Where the tokens are kept, shared with those who take them. */
  readonly bearers?: BearerTokens;
  readonly lifetimeSeconds?: number;
}

/** A token that was given out, and what for. */
export interface LabEntraGrant {
  readonly clientId: string;
  readonly by: 'secret' | AssertionKind;
  readonly scope: string;
}

/** Microsoft Entra on loopback: one tenant, discovery, and the token endpoint for clients without users. */
export class LabEntra extends LabServer {
  readonly tenantId: string;
  readonly bearers: BearerTokens;
  /** In order. */
  readonly grants: LabEntraGrant[] = [];
  /** How long tokens live that it gives out from now on. */
  lifetimeSeconds: number;
  readonly #clients = new Map<string, LabEntraClient>();

  private constructor(options: LabEntraOptions) {
    super(options, 'https');
    this.tenantId = options.tenantId ?? '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';
    this.bearers = options.bearers ?? new BearerTokens(options.clock);
    this.lifetimeSeconds = options.lifetimeSeconds ?? 3599;
    for (const client of options.clients ?? []) this.register(client);
  }

  static async start(options: LabEntraOptions = {}): Promise<LabEntra> {
    const entra = new LabEntra(options);
    await entra.listen();
    return entra;
  }

  /** Puts an application in, or in place of the one that had its id. */
  register(client: LabEntraClient): void {
    this.#clients.set(client.clientId, client);
  }

  /** A token as the lab's cluster projects it into a pod that runs as this client. */
  federatedToken(clientId: string): string {
    const subject = this.#clients.get(clientId)?.federatedSubject;
    if (subject === undefined) throw new Error('no pod runs as this client');
    return clusterToken(subject, this.clock());
  }

  protected override async respond(request: LabRequest): Promise<LabAnswer> {
    const { pathname } = new URL(request.url, this.origin);
    if (pathname === '/common/discovery/instance') return jsonAnswer(this.#instances());
    const [tenant = '', path] = [pathname.split('/')[1], pathname.replace(/^\/[^/]*/, '')];
    if (tenant !== this.tenantId) return refusal(400, 'invalid_tenant', 90002, 'the tenant was not found');
    if (path === '/v2.0/.well-known/openid-configuration') return jsonAnswer(this.#tenantConfiguration());
    if (path === '/oauth2/v2.0/token' && request.method === 'POST') return this.#token(request.body);
    return jsonAnswer({ error: 'not_found' }, { status: 404 });
  }

  async #token(body: string): Promise<LabAnswer> {
    const form = new URLSearchParams(body);
    const field = (name: string) => form.get(name) ?? '';
    if (field('grant_type') !== 'client_credentials') {
      return refusal(400, 'unsupported_grant_type', 70003, 'the grant type is not supported');
    }
    const client = this.#clients.get(field('client_id'));
    if (client === undefined) return refusal(400, 'unauthorized_client', 700016, 'the application was not found');
    const scope = field('scope');
    const resource = RESOURCE.exec(scope)?.[1];
    if (resource === undefined) return refusal(400, 'invalid_scope', 1002012, 'the scope has to end with /.default');
    const by = await this.#authenticate(client, field);
    if (typeof by !== 'string') return by;
    const { clientId } = client;
    this.grants.push({ clientId, by, scope });
    const { lifetimeSeconds } = this;
    return jsonAnswer({
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      ext_expires_in: lifetimeSeconds,
      access_token: this.bearers.issue({ resource, clientId, lifetimeSeconds }),
    });
  }

  /** @returns how the client showed who it is, or the answer that says no */
  async #authenticate(
    client: LabEntraClient,
    field: (name: string) => string,
  ): Promise<LabEntraGrant['by'] | LabAnswer> {
    if (field('client_assertion_type') !== JWT_BEARER) {
      const isRight = client.secret !== undefined && field('client_secret') === client.secret;
      return isRight ? 'secret' : refusal(401, 'invalid_client', 7000215, 'an invalid client secret was provided');
    }
    const tenant = `${this.origin}/${this.tenantId}`;
    const audiences = [`${tenant}/oauth2/v2.0/token`, `${tenant}/v2.0`];
    return verifyAssertion(field('client_assertion'), client, { audiences, at: this.clock() }).catch((error: unknown) =>
      refusal(401, 'invalid_client', 700027, `the client assertion does not verify: ${String(error)}`),
    );
  }

  #instances(): JsonObject {
    const host = new URL(this.origin).host;
    return {
      tenant_discovery_endpoint: `${this.origin}/${this.tenantId}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
    };
  }

  #tenantConfiguration(): JsonObject {
    const tenant = `${this.origin}/${this.tenantId}`;
    return {
      issuer: `${tenant}/v2.0`,
      authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${tenant}/discovery/v2.0/keys`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      tenant_region_scope: 'EU',
    };
  }
}

/** Scope of a client without users: everything it may do at a resource. A resource may end with a slash of its own. */
const RESOURCE = /^(\S+)\/\.default$/;

/** Says no as Entra does: a number of its own beside the code of RFC 6749 section 5.2. */
function refusal(status: number, error: string, number: number, text: string): LabAnswer {
  const [traceId, correlationId] = [randomUUID(), randomUUID()];
  const body = {
    error,
    error_description: `AADSTS${number}: ${text}. Trace ID: ${traceId} Correlation ID: ${correlationId}`,
    error_codes: [number],
    timestamp: new Date().toISOString(),
    trace_id: traceId,
    correlation_id: correlationId,
  };
  return jsonAnswer(body, { status });
}
