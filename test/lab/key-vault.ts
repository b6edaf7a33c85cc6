import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import type { JsonObject } from '../../src/core/json.js';
import type { BearerTokens } from './bearer-tokens.js';
import {
  claimsOf,
  isCurrent,
  type LabReleasePolicy,
  meetsPolicy,
  type ReleaseMaking,
  releaseAnswer,
  wrappingKeyOf,
} from './key-release.js';
import { signatureOverDigest } from './key-vault-signing.js';
import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';
import { VaultAnswerPki } from './vault-answer-pki.js';

/** Resource of access tokens for vaults of the public cloud. */
export const VAULT_RESOURCE = 'https://vault.azure.net';
const HSM_RESOURCE = 'https://managedhsm.azure.net';

export interface LabKeyVaultOptions extends LabServerOptions {
  readonly bearers: BearerTokens;
  /** First label of its host name. */
  readonly name?: string;
  /** A Managed HSM in the place of a vault. */
  readonly managedHsm?: boolean;
}

/** The public data of a version of a key, and its private half; null for a kind that has no public half. */
export interface LabVaultKey {
  readonly privateKey: KeyObject | null;
  readonly enabled?: boolean;
  readonly notBefore?: Date;
  readonly expires?: Date;
  readonly operations?: readonly string[];
  /** Members of the key in the place of its own, such as another `kid`. */
  readonly members?: JsonObject;
  /** A key that can be exported, to whom its policy lets have it; else it stays. */
  readonly exportable?: { readonly policy: LabReleasePolicy; readonly material: Uint8Array };
}

/** Makes the signature over a digest. */
type Signing = (key: KeyObject, alg: 'ES256' | 'RS256', digest: Uint8Array) => Uint8Array;

const KEY_PATH = /^\/keys\/([A-Za-z0-9-]+)\/([0-9a-f]{32})(\/sign)?$/;
const RELEASE_PATH = /^\/keys\/([A-Za-z0-9-]+)(?:\/([0-9a-f]{32}))?\/release$/;
/** Those that release keys in a signed answer. */
const RELEASING_VERSION = /^(?:7\.[3-9]|20\d\d-\d\d-\d\d)$/;
const MATERIAL_BYTES = 32;
const DIGEST_BYTES = 32;

/**
 * A vault of Azure Key Vault on loopback, under the host name that a real one has: reads keys, signs digests and releases
 * keys, for those who have an access token for it, and tells all others which one it wants.
 */
export class LabKeyVault extends LabServer {
  /** Host name, which clients resolve to this machine. */
  readonly host: string;
  /** Operations for which no client has the permission. */
  readonly denied = new Set<'get' | 'sign' | 'release'>();
  /** Makes signatures. */
  signing: Signing = signatureOverDigest;
  /** Signs what is released. */
  readonly answers: VaultAnswerPki;
  /** How what is released is made otherwise than genuinely. */
  releaseMaking: ReleaseMaking = {};
  /** The body of the answer, of the JWS. */
  releaseText: (value: string) => string = (value) => JSON.stringify({ value });
  /** The whole challenge, if it is not that of a vault. */
  challenge: string | null = null;
  /** The resource in the challenge, if it is not that of the vault. */
  challengedResource: string | null = null;
  readonly #bearers: BearerTokens;
  readonly #isHsm: boolean;
  readonly #keys = new Map<string, LabVaultKey>();

  private constructor(options: LabKeyVaultOptions) {
    const { name = 'lab', managedHsm = false } = options;
    const host = `${name}.${managedHsm ? 'managedhsm' : 'vault'}.azure.net`;
    super({ ...options, names: [host] }, 'https');
    this.host = host;
    this.answers = new VaultAnswerPki(host.slice(host.indexOf('.') + 1), () => this.clock());
    this.#bearers = options.bearers;
    this.#isHsm = managedHsm;
  }

  static async start(options: LabKeyVaultOptions): Promise<LabKeyVault> {
    const vault = new LabKeyVault(options);
    await vault.listen();
    return vault;
  }

  /** Puts a version of a key in. @returns its URL, as a configuration names it */
  add(name: string, key: LabVaultKey, version = randomBytes(16).toString('hex')): string {
    this.#keys.set(`${name}/${version}`, key);
    return `https://${this.host}/keys/${name}/${version}`;
  }

  /** Puts a symmetric key in that may be released, of random bytes. @returns its URL and the bytes */
  addExportable(
    name: string,
    policy: LabReleasePolicy,
    version?: string,
  ): { readonly url: string; readonly material: Uint8Array } {
    const material = new Uint8Array(randomBytes(MATERIAL_BYTES));
    return { url: this.add(name, { privateKey: null, exportable: { policy, material } }, version), material };
  }

  /** Says something else of a version of a key from now on. */
  change(url: string, key: Partial<LabVaultKey>): void {
    const path = url.replace(/^.*\/keys\//, '');
    const before = this.#keys.get(path);
    if (before === undefined) throw new Error('the vault has no such key');
    this.#keys.set(path, { ...before, ...key });
  }

  protected override respond(request: LabRequest): LabAnswer {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (!this.#bearers.accepts(token, this.#resource)) return this.#challenge();
    const apiVersion = searchParams.get('api-version') ?? '';
    const isRelease = RELEASE_PATH.test(pathname) && request.method === 'POST';
    return isRelease
      ? this.#release(pathname, apiVersion, request.body)
      : this.#readOrSign(pathname, apiVersion, request);
  }

  #readOrSign(pathname: string, apiVersion: string, { method, body }: LabRequest): LabAnswer {
    const [, name = '', version = '', sign] = KEY_PATH.exec(pathname) ?? [];
    if (name === '' || method !== (sign === undefined ? 'GET' : 'POST')) return refusal(405, 'MethodNotAllowed');
    if (!/^(?:7\.\d|20\d\d-\d\d-\d\d)$/.test(apiVersion)) return refusal(400, 'BadParameter');
    if (this.denied.has(sign === undefined ? 'get' : 'sign')) return refusal(403, 'Forbidden', 'ForbiddenByRbac');
    const key = this.#keys.get(`${name}/${version}`);
    if (key === undefined) return refusal(404, 'KeyNotFound');
    const kid = `https://${this.host}/keys/${name}/${version}`;
    return sign === undefined ? jsonAnswer(this.#bundle(kid, key)) : this.#sign(kid, key, body);
  }

  #release(pathname: string, apiVersion: string, body: string): LabAnswer {
    if (!RELEASING_VERSION.test(apiVersion)) return refusal(400, 'BadParameter');
    if (this.denied.has('release')) return refusal(403, 'Forbidden', 'ForbiddenByRbac');
    const [, name = '', asked] = RELEASE_PATH.exec(pathname) ?? [];
    const version = asked ?? this.#newestOf(name);
    const key = this.#keys.get(`${name}/${version}`);
    if (key === undefined) return refusal(404, 'KeyNotFound');
    const { target, nonce, enc = 'CKM_RSA_AES_KEY_WRAP' } = JSON.parse(body === '' ? '{}' : body);
    const claims = claimsOf(String(target));
    const wrapping = claims && wrappingKeyOf(claims);
    if (key.exportable === undefined || claims === null || wrapping === null) return refusal(400, 'BadParameter');
    const { policy, material } = key.exportable;
    if (!isCurrent(policy, claims, this.clock())) return refusal(403, 'Forbidden', undefined, NOT_VERIFIED);
    if (!meetsPolicy(policy, claims)) return refusal(403, 'Forbidden', undefined, NOT_MET);
    const origin = `https://${this.host}/keys/${name}`;
    const call = {
      nonce,
      enc,
      asked: asked === undefined ? origin : `${origin}/${asked}`,
      kid: `${origin}/${version}`,
    };
    const value = releaseAnswer(call, material, wrapping, this.answers, this.releaseMaking);
    return { ...jsonAnswer(null), body: this.releaseText(value) };
  }

  /** The version that was put in last. */
  #newestOf(name: string): string {
    const versions = [...this.#keys.keys()].filter((path) => path.startsWith(`${name}/`));
    return versions.at(-1)?.slice(name.length + 1) ?? '';
  }

  get #resource(): string {
    return this.#isHsm ? HSM_RESOURCE : VAULT_RESOURCE;
  }

  /** A Managed HSM says the same with an empty body, and names another host of Entra. */
  #challenge(): LabAnswer {
    const authority = `https://login.${this.#isHsm ? 'microsoftonline.com' : 'windows.net'}/5f1c0c2a-7c65-4a0e-8f2b-5d3b7a1e9c04`;
    const challenge = `Bearer authorization="${authority}", resource="${this.challengedResource ?? this.#resource}"`;
    const answer = refusal(401, 'Unauthorized');
    return {
      ...answer,
      ...(this.#isHsm ? { body: '' } : {}),
      headers: { 'www-authenticate': this.challenge ?? challenge },
    };
  }

  #bundle(
    kid: string,
    { privateKey, enabled = true, notBefore, expires, operations, members }: LabVaultKey,
  ): JsonObject {
    const jwk = privateKey === null ? {} : (createPublicKey(privateKey).export({ format: 'jwk' }) as JsonObject);
    const { kty = 'oct', ...material } = jwk;
    return {
      key: {
        kid,
        kty: this.#isHsm ? `${kty}-HSM` : kty,
        key_ops: [...(operations ?? ['sign', 'verify'])],
        ...material,
        ...members,
      },
      attributes: {
        enabled,
        ...(notBefore === undefined ? {} : { nbf: secondsOf(notBefore) }),
        ...(expires === undefined ? {} : { exp: secondsOf(expires) }),
        created: secondsOf(this.clock()),
        updated: secondsOf(this.clock()),
        recoveryLevel: 'Recoverable+Purgeable',
      },
      tags: {},
    };
  }

  #sign(kid: string, { privateKey, enabled = true, operations = ['sign'] }: LabVaultKey, body: string): LabAnswer {
    if (!enabled) return refusal(403, 'Forbidden', 'KeyDisabled');
    if (!operations.includes('sign')) return refusal(403, 'Forbidden', 'KeyOperationForbidden');
    const { alg, value } = JSON.parse(body === '' ? '{}' : body) as { alg?: unknown; value?: unknown };
    const digest = Buffer.from(typeof value === 'string' ? value : '', 'base64url');
    const wanted = privateKey?.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
    if (privateKey === null || alg !== wanted || digest.length !== DIGEST_BYTES) return refusal(400, 'BadParameter');
    const signature = this.signing(privateKey, wanted, digest);
    return jsonAnswer({ kid, value: Buffer.from(signature).toString('base64url') });
  }
}

const NOT_VERIFIED = 'Target environment attestation statement cannot be verified.';
const NOT_MET = 'Target environment attestation does not meet key release policy requirements';

/** Says no as Key Vault does. The message names the caller. */
function refusal(status: number, code: string, inner?: string, sentence = 'the lab says no'): LabAnswer {
  const message = `${sentence} (caller appid=sesame-application;oid=sesame-object)`;
  return jsonAnswer(
    { error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } },
    { status },
  );
}

function secondsOf(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
