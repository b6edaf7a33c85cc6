import type { RunningService, ServiceOptions } from '../../../src/app/service.js';
import type { AzSnpVtpmEvidence } from '../../../src/core/evidence.js';
import type { JsonObject, JsonValue } from '../../../src/core/json.js';
import {
  LabMaa,
  LabTrustAuthority,
  type MembersChange,
  type Native,
  TlsAuthority,
  type TokenMaking,
  wireEvidence,
} from '../../lab/index.js';
import type { Answer } from '../http/exchange.js';
import { base64Url, LabService, lenientPolicy, NONCE, PKI, post, WITHOUT_ENDORSEMENTS } from './lab-service.js';

/** Azure Attestation and Trust Authority on loopback beside the service, which knows them by its configuration. */

export const RESULTS = '/attestationResults';

/** Which opinions a policy wants. `off`: what is base and holds anyway. */
const ROUTE_POLICIES = [
  lenientPolicy('off'),
  lenientPolicy('maa-required', { accepts: ['az-snp-vtpm', 'snp'], routes: { maa: 'required' } }),
  lenientPolicy('maa-optional', { accepts: ['az-snp-vtpm', 'snp'], routes: { maa: 'optional' } }),
];

export interface Opinion {
  readonly evidence: Native<AzSnpVtpmEvidence>;
  readonly wire: JsonObject;
}

export class TokenLab {
  readonly service: LabService;
  /** Its policy is pinned. */
  readonly maa: LabMaa;
  /** Whatever its owner issues is accepted: `policyHash: any`. */
  readonly open: LabMaa;
  readonly ita: LabTrustAuthority;
  /** Issues the certificates of all its servers. */
  readonly tls: TlsAuthority;

  private constructor(service: LabService, maa: LabMaa, open: LabMaa, ita: LabTrustAuthority, tls: TlsAuthority) {
    this.tls = tls;
    this.service = service;
    this.maa = maa;
    this.open = open;
    this.ita = ita;
  }

  static async create(): Promise<TokenLab> {
    const tls = new TlsAuthority();
    const service = await LabService.create(tls);
    const [maa, open, ita] = await Promise.all([
      LabMaa.start({ pki: PKI, tls }),
      LabMaa.start({ pki: PKI, tls, keys: 'open' }),
      LabTrustAuthority.start({ tls }),
    ]);
    for (const policy of ROUTE_POLICIES) await service.writePolicy(policy);
    return new TokenLab(service, maa, open, ita, tls);
  }

  /** The configuration of tokens; `submit`: the service that evidence is sent to. */
  configuration(submit: readonly string[] = []): { readonly maa: object; readonly ita: object } {
    return {
      maa: {
        shared: false,
        issuers: [
          { issuer: this.maa.issuer, policyHash: [this.maa.policyHash] },
          { issuer: this.open.issuer, policyHash: 'any' },
        ],
        submit: { endpoints: submit },
      },
      ita: { issuers: [{ issuer: this.ita.issuer, keys: `${this.ita.origin}/certs` }] },
    };
  }

  /** Starts a service that trusts the lab's certificates. */
  start(keys: object = {}, world: Partial<ServiceOptions> = {}, data = 'data'): Promise<RunningService> {
    return this.service.start({ ...this.configuration(), ...keys }, world, data);
  }

  /** Starts a service that has tokens made. */
  startSubmitting(
    keys: object = {},
    world: Partial<ServiceOptions> = {},
    data = 'submitting',
  ): Promise<RunningService> {
    return this.start({ ...this.configuration([this.maa.origin]), ...keys }, world, data);
  }

  /** Evidence of the VM, with what its guest needs to have a token made of the same. */
  evidence(nonce: Uint8Array = NONCE): Opinion {
    const evidence = this.service.vm.evidence({ nonce, endorsements: WITHOUT_ENDORSEMENTS });
    return { evidence, wire: wireEvidence(evidence) };
  }

  /** The token that the guest of this evidence brings. */
  guestToken({ evidence }: Opinion, making: TokenMaking = {}, maa: LabMaa = this.maa): string {
    return maa.issueAzureVm({ hclReport: evidence.hclReport, clientPayloadNonce: NONCE, ...making });
  }

  async close(): Promise<void> {
    await Promise.all([this.service.close(), this.maa.close(), this.open.close(), this.ita.close()]);
  }
}

/** Asks for a decision on evidence as it is written. */
export function verify(
  { url }: Pick<RunningService, 'url'>,
  evidence: JsonObject,
  members: object = {},
  query = '',
): Promise<Answer> {
  return post(url, `/verify${query}`, JSON.stringify({ evidence, nonce: base64Url(NONCE), ...members }));
}

/** The member of a request that brings a token of Azure Attestation. */
export function maaResult(token: string): { readonly attestationResults: readonly object[] } {
  return { attestationResults: [{ type: 'maa-token', token }] };
}

/** Changes members of `x-ms-isolation-tee`. */
export function isolation(change: (tee: JsonObject) => JsonObject): MembersChange {
  return (claims) => ({ ...claims, 'x-ms-isolation-tee': change(objectOf(claims['x-ms-isolation-tee'])) });
}

/** Changes members of the runtime claims that the hardware vouches for. */
export function runtime(change: (runtime: JsonObject) => JsonObject): (tee: JsonObject) => JsonObject {
  return (tee) => ({ ...tee, 'x-ms-runtime': change(objectOf(tee['x-ms-runtime'])) });
}

export function objectOf(value: JsonValue | undefined): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value as JsonObject;
}

export const checksOf = (answer: Answer, id: string): readonly Record<string, unknown>[] =>
  answer.body.checks.filter((check: { id: string }) => check.id === id);

export const resultsOf = (answer: Answer, id: string): readonly unknown[] =>
  checksOf(answer, id).map(({ result }) => result);
