import { createPublicKey, type KeyObject } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import { namedRsaKey } from './lab-keys.js';
import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';
import { makeToken, registeredClaims, type TokenMaking } from './token-making.js';

export interface LabCallerIssuerOptions extends LabServerOptions {
  /** The credential that it requires before it shows its keys, as a cluster does; by default none. */
  readonly authorization?: string;
}

const TENANT = '5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04';

/** An issuer of tokens that say who asks, as OpenID Connect has them: discovery, key set, tokens. */
export class LabCallerIssuer extends LabServer {
  /** Names of the keys that it publishes. The last one signs. */
  keyNames: readonly string[] = ['caller-1'];
  /** Further members of the keys, by name. */
  keyMembers: Readonly<Record<string, JsonObject>> = {};
  /** Changes what discovery says. */
  discovered: JsonObject = {};
  readonly #authorization: string | undefined;

  private constructor({ authorization, ...options }: LabCallerIssuerOptions) {
    super(options, 'https');
    this.#authorization = authorization;
  }

  static async start(options: LabCallerIssuerOptions = {}): Promise<LabCallerIssuer> {
    const issuer = new LabCallerIssuer(options);
    await issuer.listen();
    return issuer;
  }

  /** As tokens have it in `iss`: that of a tenant of Entra. */
  get issuer(): string {
    return `${this.origin}/${TENANT}/v2.0`;
  }

  get keysUrl(): string {
    return `${this.origin}/tenant/keys`;
  }

  get keySet(): JsonObject {
    return { keys: this.keyNames.map((name) => ({ ...publicJwk(name), ...this.keyMembers[name] })) };
  }

  /** A token that lives for ten minutes. */
  issue(claims: JsonObject, making: TokenMaking = {}): string {
    const kid = this.keyNames.at(-1) ?? '';
    const all = { ...registeredClaims(this.issuer, this.clock(), 600), ...claims };
    return makeToken({ header: { typ: 'JWT', kid }, claims: all, key: keyOf(kid), algorithm: 'RS256' }, making);
  }

  protected override respond({ url, headers }: LabRequest): LabAnswer {
    if (this.#authorization !== undefined && headers.authorization !== this.#authorization) {
      return jsonAnswer({ message: 'Unauthorized' }, { status: 401 });
    }
    if (url.split('?', 1)[0] === '/tenant/keys') return jsonAnswer(this.keySet);
    if (url !== `/${TENANT}/v2.0/.well-known/openid-configuration`) return jsonAnswer({}, { status: 404 });
    return jsonAnswer({ issuer: this.issuer, jwks_uri: this.keysUrl, ...this.discovered });
  }
}

function keyOf(name: string): KeyObject {
  return namedRsaKey(name, 2048).privateKey;
}

function publicJwk(kid: string): JsonObject {
  return { ...(createPublicKey(keyOf(kid)).export({ format: 'jwk' }) as JsonObject), kid, use: 'sig' };
}
