import { LRUCache } from 'lru-cache';
import type { Configuration } from '../../config/configuration.js';
import { policiesOf } from '../../config/tenants.js';
import type { DecidedRequest, KeptInputs, LogStore } from '../../core/decision-log.js';
import { RefusedError } from '../../core/errors.js';
import type { TokenRoute } from '../../core/evidence.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import type { Caller, VerifyRequest } from '../../core/request.js';
import { canonicalJson } from '../../formats/canonical-json.js';
import type { Fact } from '../../judge/inquiry.js';
import { areOfLaterVersion, INPUTS_VERSION, RELEASE_INPUTS_VERSION } from '../../log/kept-names.js';
import { decodeValue, digestOf, encodeValue, KeptBytes, namedBytes } from '../../log/kept-values.js';
import { requestLimits } from '../../wire/read-body.js';
import { readReleaseRequest, type WantedKey } from '../../wire/read-release-request.js';
import { readVerifyRequest } from '../../wire/read-requests.js';
import type { ConfiguredRoots } from '../reload/configured-roots.js';

/** The settings of a configuration that affect decisions, without secrets. */
export interface JudgingConfiguration
  extends Pick<Configuration, 'policies' | 'historical' | 'limits' | 'time' | 'deadlineSeconds'> {
  readonly amd: Pick<Configuration['amd'], 'refuseProducts' | 'products'>;
  readonly paravisors: Configuration['azure']['paravisors'];
  readonly maa: Pick<Configuration['maa'], 'shared' | 'issuers'>;
  readonly ita: Pick<Configuration['ita'], 'issuers'>;
  readonly lifetimeSeconds: number;
  readonly roots: ConfiguredRoots;
  /** Routes on which evidence is sent to another verifier. */
  readonly submitted: readonly TokenRoute[];
  readonly early: boolean;
}

/** Every input of a decision. The decision can be repeated with them alone. */
export interface Facts {
  readonly version: string;
  /** The time of the service when it processed the request. */
  readonly now: Date;
  /** The JSON text of the request. */
  readonly body: Uint8Array;
  readonly caller: Caller;
  /** The requested key. Absent if none was requested. */
  readonly wanted?: WantedKey;
  readonly configuration: JudgingConfiguration;
  /** Digest of the configuration. Equal configurations have equal digests. */
  readonly configurationSha256: string;
  /** The answers of sources, in the order of the questions. */
  readonly answers: readonly Fact[];
}

/** The parts that are equal for many decisions. */
export interface KeeperParts {
  readonly configuration: Configuration;
  readonly roots: ConfiguredRoots;
  readonly submitted: readonly TokenRoute[];
  readonly version: string;
}

/** Keeps the facts of decisions. */
export class FactsKeeper {
  readonly #parts: KeeperParts;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** @throws {Error} if the request has no JSON text */
  keep({ decision, request, caller }: DecidedRequest, answers: readonly Fact[]): KeptInputs {
    if (request.body === undefined) throw new Error('the text of the request is not there to be kept');
    const bytes = new KeptBytes();
    const configuration = encodeValue(judgingConfiguration(this.#parts, caller.tenant), bytes);
    const inputs = encodeValue(
      {
        version: this.#parts.version,
        now: decision.decidedAt,
        body: request.body,
        caller,
        answers,
        ...wantedBy(request),
      },
      bytes,
    );
    const text = (value: JsonValue) => bytes.add(Buffer.from(canonicalJson(value)));
    const sha256 = text({
      v: request.release === undefined ? INPUTS_VERSION : RELEASE_INPUTS_VERSION,
      inputs,
      configuration: text(configuration),
    });
    return { sha256, objects: bytes.objects };
  }
}

/** The requested key with its policy. The policy comes from the key, not from the body. */
function wantedBy({ release, policies }: VerifyRequest): Pick<Facts, 'wanted'> {
  const [policy] = policies ?? [];
  return release === undefined || policy === undefined ? {} : { wanted: { ...release, policy } };
}

/** @param tenant whose policies were in force for the request */
function judgingConfiguration({ configuration, roots, submitted }: KeeperParts, tenant: string): JudgingConfiguration {
  const { directory, default: standard, shadow } = policiesOf(configuration, tenant);
  const { historical, limits, time, deadlineSeconds, amd, azure, maa, ita, receipts, intel } = configuration;
  const submittedPolicyIds = ita.submit?.policyIds ?? [];
  return {
    policies: { directory, default: standard, shadow },
    historical,
    limits,
    time,
    deadlineSeconds,
    amd: { refuseProducts: amd.refuseProducts, products: amd.products },
    paravisors: azure.paravisors,
    maa: { shared: maa.shared, issuers: maa.issuers },
    // Those of `submit` count for every issuer.
    ita: {
      issuers: ita.issuers.map((issuer) => ({ ...issuer, policyIds: [...issuer.policyIds, ...submittedPolicyIds] })),
    },
    lifetimeSeconds: receipts.lifetimeSeconds,
    roots: { issuers: roots.issuers, ak: roots.ak },
    submitted,
    early: intel.early === 'shadow',
  };
}

/** The recorded request. @throws {FormatError} if this version rejects it */
export function requestOf({ configuration, body, wanted }: Facts): VerifyRequest {
  const limits = requestLimits(configuration.limits.eventLogBytes);
  return wanted === undefined ? readVerifyRequest(body, limits) : readReleaseRequest(body, wanted, limits);
}

/** The present configuration, with the recorded settings that affect decisions. */
export function configurationOfThen(now: Configuration, then: JudgingConfiguration): Configuration {
  const { policies, historical, limits, time, deadlineSeconds, amd, paravisors, maa, ita, lifetimeSeconds } = then;
  return {
    ...now,
    policies,
    historical,
    limits,
    time,
    deadlineSeconds,
    amd: { ...now.amd, ...amd },
    azure: { ...now.azure, paravisors },
    maa: { ...now.maa, ...maa },
    ita: { ...now.ita, ...ita, submit: null },
    receipts: { ...now.receipts, lifetimeSeconds },
  };
}

/** Maximum total size of the cached objects, in bytes. */
const REMEMBERED_BYTES = 16 * 1024 * 1024;

/** Stored inputs of decisions. A cache avoids reading inputs again that many decisions share. */
export class KeptObjects {
  readonly #store: Pick<LogStore, 'object'>;
  readonly #remembered = new LRUCache<string, Uint8Array>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ byteLength }) => byteLength + 1,
  });

  constructor(store: Pick<LogStore, 'object'>) {
    this.#store = store;
  }

  /** @throws {RefusedError} `evidence_not_kept` if the object is missing, or its digest differs */
  async get(sha256: string): Promise<Uint8Array> {
    const remembered = this.#remembered.get(sha256);
    if (remembered !== undefined) return remembered;
    const bytes = await this.#store.object(sha256);
    if (bytes === null || digestOf(bytes) !== sha256) throw notKept();
    this.#remembered.set(sha256, bytes);
    return bytes;
  }
}

/** @throws {RefusedError} `evidence_not_kept` if an input is missing, or a later version of veritee stored it */
export async function readFacts(objects: KeptObjects, sha256: string): Promise<Facts> {
  const kept = new Map<string, Uint8Array>();
  const fetch = async (digest: string) => {
    const bytes = await objects.get(digest);
    kept.set(digest, bytes);
    return bytes;
  };
  const json = async (digest: string): Promise<JsonValue> =>
    JSON.parse(Buffer.from(await fetch(digest)).toString('utf8'));
  const bytesOf = (digest: string) => kept.get(digest) as Uint8Array;
  const all = (await json(sha256)) as JsonObject & { inputs: JsonValue; configuration: string };
  if (areOfLaterVersion(all)) {
    throw new RefusedError(
      'evidence_not_kept',
      'what this decision rested on was kept by a later version of veritee: that one, or a later one, can judge it again',
    );
  }
  const { inputs, configuration: configurationSha256 } = all;
  const configuration = await json(configurationSha256);
  for (const digest of [...namedBytes(inputs), ...namedBytes(configuration)]) await fetch(digest);
  const decoded = decodeValue(inputs, bytesOf) as Omit<Facts, 'configuration' | 'configurationSha256'>;
  return {
    ...decoded,
    configuration: decodeValue(configuration, bytesOf) as JudgingConfiguration,
    configurationSha256,
  };
}

function notKept(): RefusedError {
  return new RefusedError('evidence_not_kept', 'something that this decision rested on is not kept any more');
}
