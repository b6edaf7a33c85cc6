import type { JsonObject, JsonValue } from '../../src/core/json.js';
import type { AmdPki } from './amd-pki.js';
import type { BearerTokens } from './bearer-tokens.js';
import { jsonAnswer, type LabAnswer, type LabRequest, LabServer, type LabServerOptions } from './lab-server.js';
import { MaaRefusal, readSevSnpVmRequest, readTdxVmRequest } from './maa-attest-request.js';
import { azureVmClaims, sevSnpVmClaims, tdxVmClaims } from './maa-claims.js';
import { maaDiscoveryDocument } from './maa-discovery.js';
import { MAA_DEFAULT_POLICY, maaPolicyHash } from './maa-policy.js';
import { type MaaSigner, type MaaSignerOptions, maaJwk, maaSigner } from './maa-signer.js';
import { AZURE_ID_KEY_DIGEST } from './snp-report-builder.js';
import { bothMakings, makeToken, registeredClaims, type TokenMaking } from './token-making.js';

/** The audience of access tokens for an instance. */
export const MAA_RESOURCE = 'https://attest.azure.net';

const LIFETIME_SECONDS = 28_800;
const API_VERSIONS: ReadonlySet<string> = new Set([
  '2018-09-01-preview',
  '2020-10-01',
  '2022-08-01',
  '2022-09-01-preview',
  '2023-04-01-preview',
  '2025-06-01',
]);

export interface LabMaaOptions extends LabServerOptions {
  /** The roots of accepted chains. */
  readonly pki: AmdPki;
  /** Calls of attest need one of these; left out, anybody may call. */
  readonly bearers?: BearerTokens;
  readonly policy?: string;
  /** `x-ms-policy-signer`, as of an instance whose policies are signed. */
  readonly policySigner?: JsonValue;
  /** ID_KEY_DIGESTs, hex, of the paravisors that it calls compliant. */
  readonly azureIdKeyDigests?: readonly string[];
  /** Name of its set of keys: two instances of one name sign with the same keys. */
  readonly keys?: string;
  readonly certificate?: MaaSignerOptions['certificate'];
}

export interface SevSnpVmTokenOptions extends TokenMaking {
  readonly report: Uint8Array;
  /** JSON, shown as `x-ms-runtime`. */
  readonly runtimeData?: Uint8Array | null;
  readonly nonce?: string;
}

export interface AzureVmTokenOptions extends TokenMaking {
  /** Null: of a VM with Trusted Launch. */
  readonly hclReport: Uint8Array | null;
  readonly clientPayloadNonce?: Uint8Array;
}

export interface TdxVmTokenOptions extends TokenMaking {
  /** Up to 64 bytes, zeros follow. */
  readonly reportData?: Uint8Array;
  /** JSON, shown as `x-ms-runtime`. */
  readonly runtimeData?: Uint8Array | null;
  readonly nonce?: string;
}

/** An instance of Azure Attestation on loopback: its address is the issuer of its tokens. */
export class LabMaa extends LabServer {
  /** Text of the policy. Tokens say its hash; its rules are not run. */
  policy: string;
  readonly #options: LabMaaOptions;
  readonly #azureIdKeyDigests: ReadonlySet<string>;
  /** The first one signs; all are published. */
  #signers: readonly MaaSigner[] = [];
  #signersMade = 0;
  #published: JsonValue | null = null;
  #alteration: TokenMaking = {};

  private constructor(options: LabMaaOptions) {
    super(options, 'https');
    this.policy = options.policy ?? MAA_DEFAULT_POLICY;
    this.#options = options;
    this.#azureIdKeyDigests = new Set(options.azureIdKeyDigests ?? [AZURE_ID_KEY_DIGEST]);
  }

  static async start(options: LabMaaOptions): Promise<LabMaa> {
    const maa = new LabMaa(options);
    await maa.listen();
    maa.rotate();
    return maa;
  }

  get issuer(): string {
    return this.origin;
  }

  /** `x-ms-policy-hash` of tokens that are issued now. */
  get policyHash(): string {
    return maaPolicyHash(this.policy);
  }

  /** The key that signs now. */
  get signer(): MaaSigner {
    const [signer] = this.#signers;
    if (signer === undefined) throw new Error('an instance that is not started has no key');
    return signer;
  }

  /** The key set as `/certs` serves it. */
  keySet(): JsonValue {
    return this.#published ?? { keys: this.#signers.map(maaJwk) };
  }

  /** Signs with a new key from now on. The keys before it are published only with `overlap`. */
  rotate({ overlap = false }: { readonly overlap?: boolean } = {}): void {
    const { keys = 'maa', certificate } = this.#options;
    this.#signersMade += 1;
    const signer = maaSigner({
      name: `${keys}-signer-${this.#signersMade}`,
      issuer: this.issuer,
      at: this.clock(),
      ...(certificate === undefined ? {} : { certificate }),
    });
    this.#signers = overlap ? [signer, ...this.#signers] : [signer];
  }

  /** Serves anything else at `/certs`, until null. */
  publish(keySet: JsonValue | null): void {
    this.#published = keySet;
  }

  /** How the tokens that attest calls answer with are made from now on; null for genuinely. */
  alter(making: TokenMaking | null): void {
    this.#alteration = making ?? {};
  }

  /** A token about an SEV-SNP report, as attest/SevSnpVm answers. Nothing of the report is verified here. */
  issueSevSnpVm({ report, runtimeData = null, nonce, ...making }: SevSnpVmTokenOptions): string {
    const claims = sevSnpVmClaims({ report, runtimeData, azureIdKeyDigests: this.#azureIdKeyDigests });
    return this.issue({ ...claims, ...nonceClaim(nonce) }, making);
  }

  /** A token about an Azure VM, as its guest gets it from attest/AzureGuest. */
  issueAzureVm({ hclReport, clientPayloadNonce = new Uint8Array(), ...making }: AzureVmTokenOptions): string {
    const azureIdKeyDigests = this.#azureIdKeyDigests;
    return this.issue(azureVmClaims({ hclReport, clientPayloadNonce, azureIdKeyDigests }), making);
  }

  /** A token about a TD. What is left out is made up. */
  issueTdxVm(options: TdxVmTokenOptions = {}): string {
    const { reportData = new Uint8Array(), runtimeData = null, nonce, ...making } = options;
    return this.issue({ ...tdxVmClaims({ reportData, runtimeData }), ...nonceClaim(nonce) }, making);
  }

  /** A token of any claims, beside those that every token of the instance has. */
  issue(claims: JsonObject, making: TokenMaking = {}): string {
    const { policySigner } = this.#options;
    const { key, kid } = this.signer;
    const common = {
      ...registeredClaims(this.issuer, this.clock(), LIFETIME_SECONDS),
      'x-ms-policy-hash': this.policyHash,
      ...(policySigner === undefined ? {} : { 'x-ms-policy-signer': policySigner }),
      'x-ms-ver': '1.0',
    };
    const header = { jku: `${this.issuer}/certs`, kid, typ: 'JWT' };
    const genuine = { header, claims: { ...common, ...claims }, key: key.privateKey, algorithm: 'RS256' };
    return makeToken(genuine, making);
  }

  protected override respond(request: LabRequest): LabAnswer {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    try {
      if (pathname === '/certs') return only('GET', request, () => jsonAnswer(this.keySet()));
      if (pathname === '/.well-known/openid-configuration') {
        return only('GET', request, () => jsonAnswer(maaDiscoveryDocument(this.issuer)));
      }
      const attest = ATTEST_PATH.exec(pathname)?.[1];
      if (attest === undefined) throw new MaaRefusal(404, 'NotFound', 'there is no such operation');
      return only('POST', request, () => this.#attest(attest, searchParams.get('api-version'), request));
    } catch (error) {
      if (error instanceof MaaRefusal) return refusalAnswer(error);
      throw error;
    }
  }

  #attest(type: string, apiVersion: string | null, request: LabRequest): LabAnswer {
    this.#requireBearer(request.headers.authorization ?? '');
    if (apiVersion === null) throw new MaaRefusal(400, 'MissingApiVersionParameter', 'api-version is missing');
    if (!API_VERSIONS.has(apiVersion)) {
      throw new MaaRefusal(400, 'UnsupportedApiVersionValue', 'api-version is not known');
    }
    if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
      throw new MaaRefusal(415, 'UnsupportedMediaType', 'the body is not JSON');
    }
    if (type === 'SevSnpVm') return jsonAnswer({ token: this.#attestSevSnpVm(request.body) });
    if (type === 'TdxVm') return jsonAnswer({ token: this.#attestTdxVm(request.body) });
    throw new MaaRefusal(400, 'InvalidOperation', `${type} is not supported by this instance`);
  }

  #attestTdxVm(body: string): string {
    const { td, runtimeJson, nonce } = readTdxVmRequest(body);
    const claims = tdxVmClaims({ runtimeData: runtimeJson, td });
    return this.issue({ ...claims, ...nonceClaim(nonce ?? undefined) }, this.#alteration);
  }

  #attestSevSnpVm(body: string): string {
    const vendor = { pki: this.#options.pki, at: this.clock() };
    const { report, runtimeJson, inittimeJson, nonce, draftPolicy } = readSevSnpVmRequest(body, vendor);
    const claims = sevSnpVmClaims({
      report,
      runtimeData: runtimeJson,
      inittimeData: inittimeJson,
      azureIdKeyDigests: this.#azureIdKeyDigests,
    });
    const making = draftPolicy === null ? {} : { algorithm: 'none' };
    return this.issue({ ...claims, ...nonceClaim(nonce ?? undefined) }, bothMakings(making, this.#alteration));
  }

  #requireBearer(authorization: string): void {
    const { bearers } = this.#options;
    const [, token = ''] = /^Bearer (.+)$/.exec(authorization) ?? [];
    if (bearers?.accepts(token, MAA_RESOURCE) === false) {
      throw new MaaRefusal(401, 'Unauthorized', 'the access token is missing, expired or for somebody else');
    }
  }
}

const ATTEST_PATH = /^\/attest\/(SgxEnclave|OpenEnclave|SevSnpVm|TdxVm|AzureGuest|Tpm)$/;

/** Only repeats the call, from any client. */
function nonceClaim(nonce: string | undefined): JsonObject {
  return nonce === undefined ? {} : { nonce };
}

function only(method: string, request: LabRequest, answer: () => LabAnswer): LabAnswer {
  if (request.method !== method) throw new MaaRefusal(405, 'MethodNotAllowed', `only ${method} is allowed`);
  return answer();
}

function refusalAnswer({ status, code, message }: MaaRefusal): LabAnswer {
  const challenge: Record<string, string> =
    status === 401 ? { 'www-authenticate': `Bearer resource="${MAA_RESOURCE}"` } : {};
  return jsonAnswer({ error: { code, message } }, { status, headers: { 'x-ms-error-code': code, ...challenge } });
}
