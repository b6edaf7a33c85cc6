import { constants, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../src/core/json.js';
import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';
import { makeToken, registeredClaims, type TokenMaking } from './token-making.js';
import {
  type TrustAuthorityClaimsOptions,
  trustAuthorityClaims,
  type VerifierNonce,
} from './trust-authority-claims.js';
import { ITA_ALGORITHMS, type ItaAlgorithm, type ItaCertificate, TrustAuthorityPki } from './trust-authority-pki.js';
import {
  readTrustAuthorityRequest,
  type TrustAuthorityCall,
  TrustAuthorityRefusal,
} from './trust-authority-request.js';

const LIFETIME_SECONDS = 300;
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

export interface LabTrustAuthorityOptions extends LabServerOptions {
  /** The key that calls of the API need. */
  readonly apiKey?: string;
  /** Name of its set of keys. */
  readonly keys?: string;
  /** `iss` of its tokens; its address if left out. */
  readonly issuer?: string;
}

export interface TrustAuthorityTokenOptions extends TokenMaking, TrustAuthorityClaimsOptions {
  /** The key that signs and is named, however the token is signed. */
  readonly signer?: ItaAlgorithm;
}

/** Intel Trust Authority on loopback: API, portal and CRLs at one address. */
export class LabTrustAuthority extends LabServer {
  readonly apiKey: string;
  readonly #options: LabTrustAuthorityOptions;
  readonly #revoked = new Set<ItaCertificate>();
  readonly #routes: ReadonlyMap<string, (request: LabRequest) => LabAnswer> = new Map([
    ['GET /certs', () => jsonAnswer(this.keySet())],
    ['GET /crl/signing-ca.crl', () => this.#crl('signing-ca')],
    ['GET /crl/root-ca.crl', () => this.#crl('root-ca')],
    ['GET /appraisal/v2/nonce', (request: LabRequest) => this.#nonce(request)],
    ['POST /appraisal/v2/attest', (request: LabRequest) => this.#attest('attest', request)],
    ['POST /appraisal/v2/attest/azure', (request: LabRequest) => this.#attest('azure', request)],
  ]);
  #pki: TrustAuthorityPki | null = null;
  #published: JsonValue | null = null;
  #alteration: TrustAuthorityTokenOptions = {};

  private constructor(options: LabTrustAuthorityOptions) {
    super(options, 'https');
    this.#options = options;
    this.apiKey = options.apiKey ?? 'bGFiLWFwaS1rZXk=';
  }

  static async start(options: LabTrustAuthorityOptions = {}): Promise<LabTrustAuthority> {
    const authority = new LabTrustAuthority(options);
    await authority.listen();
    const { keys = 'ita' } = options;
    authority.#pki = new TrustAuthorityPki({ keys, at: authority.clock(), origin: authority.origin });
    return authority;
  }

  get issuer(): string {
    return this.#options.issuer ?? this.origin;
  }

  /** Its certificates, and others that its authorities could issue. */
  get pki(): TrustAuthorityPki {
    if (this.#pki === null) throw new Error('an authority that is not started has no keys');
    return this.#pki;
  }

  /** The key set as `/certs` serves it. */
  keySet(): JsonValue {
    return this.#published ?? { keys: ITA_ALGORITHMS.map((algorithm) => this.pki.jwk(algorithm)) };
  }

  /** Serves anything else at `/certs`, until null. */
  publish(keySet: JsonValue | null): void {
    this.#published = keySet;
  }

  /** Puts a certificate on the list of its issuer. */
  revoke(certificate: ItaCertificate): void {
    this.#revoked.add(certificate);
  }

  /** How the tokens that attest calls answer with are made from now on; null for genuinely. */
  alter(making: TrustAuthorityTokenOptions | null): void {
    this.#alteration = making ?? {};
  }

  /** A token about a TD. What is left out is made up. */
  issue(options: TrustAuthorityTokenOptions = {}): string {
    const { version, tdx, verifierNonce, policies, signer = signerOf(options.algorithm), ...making } = options;
    const claims = {
      ...trustAuthorityClaims({
        ...(version === undefined ? {} : { version }),
        ...(tdx === undefined ? {} : { tdx }),
        ...(verifierNonce === undefined ? {} : { verifierNonce }),
        ...(policies === undefined ? {} : { policies }),
      }),
      ...registeredClaims(this.issuer, this.clock(), LIFETIME_SECONDS),
    };
    const header = { jku: `${this.origin}/certs`, kid: this.pki.kid(signer), typ: 'JWT' };
    const key = this.pki.tokenKey(signer).privateKey;
    return makeToken({ header, claims, key, algorithm: signer }, making);
  }

  /** A nonce that attest calls take back. */
  issueNonce(): VerifierNonce {
    const val = randomBytes(64);
    const iat = Buffer.from(`${this.clock().toISOString().replace('T', ' ').slice(0, 19)} +0000 UTC`);
    const signature = sign('sha384', Buffer.concat([val, iat]), { key: this.pki.tokenKey('PS384').privateKey, ...PSS });
    return { val: val.toString('base64'), iat: iat.toString('base64'), signature: signature.toString('base64') };
  }

  protected override respond(request: LabRequest): LabAnswer {
    const { method, url } = request;
    const { pathname } = new URL(url, this.origin);
    try {
      const answer = this.#routes.get(`${method} ${pathname}`);
      if (answer === undefined) throw new TrustAuthorityRefusal(404, 'there is no such call');
      return answer(request);
    } catch (error) {
      if (error instanceof TrustAuthorityRefusal) return jsonAnswer({ error: error.message }, { status: error.status });
      throw error;
    }
  }

  #crl(issuer: 'signing-ca' | 'root-ca'): LabAnswer {
    return { contentType: 'application/pkix-crl', body: this.pki.crl(issuer, this.#revoked) };
  }

  #nonce(request: LabRequest): LabAnswer {
    this.#requireApiKey(request);
    return jsonAnswer(this.issueNonce());
  }

  #attest(call: TrustAuthorityCall, request: LabRequest): LabAnswer {
    this.#requireApiKey(request);
    const asked = readTrustAuthorityRequest(request.body, call, (nonce) => this.#isOwnNonce(nonce));
    const { policies = { matched: asked.policyIds }, ...alteration } = this.#alteration;
    if (asked.policyMustMatch && (policies.unmatched ?? []).length > 0) {
      throw new TrustAuthorityRefusal(400, 'a policy does not match');
    }
    const { algorithm, tdx, verifierNonce } = asked;
    const genuine: TrustAuthorityTokenOptions = { algorithm, tdx, verifierNonce, policies };
    const altered = { ...genuine, ...alteration, tdx: { ...tdx, ...alteration.tdx } };
    return jsonAnswer({ token: this.issue(altered) });
  }

  #requireApiKey({ headers }: LabRequest): void {
    if (headers['x-api-key'] !== this.apiKey) throw new TrustAuthorityRefusal(401, 'the API key is missing or wrong');
  }

  #isOwnNonce({ val, iat, signature }: JsonObject): boolean {
    const bytes = (member: JsonValue | undefined) => Buffer.from(String(member), 'base64');
    const key = { key: createPublicKey(this.pki.tokenKey('PS384').privateKey), ...PSS };
    return verify('sha384', Buffer.concat([bytes(val), bytes(iat)]), key, bytes(signature));
  }
}

/** The key that an algorithm has; the default one for an algorithm without. */
function signerOf(algorithm: string | undefined): ItaAlgorithm {
  return ITA_ALGORITHMS.find((known) => known === algorithm) ?? 'PS384';
}
