import { LRUCache } from 'lru-cache';
import { fromUtf8, hex } from '../core/bytes.js';
import type {
  CollateralOrigins,
  EndorsementRequest,
  EndorsementSet,
  FetchContext,
  HashedDer,
  HeldEndorsement,
  SnpEndorsementSet,
  SnpSigningKey,
  Sourced,
  SourcedCollateral,
  TokenKey,
  Unavailable,
  UsedEndorsement,
} from '../core/endorsement.js';
import { nullIfMalformed } from '../core/errors.js';
import type { TdxCollateral } from '../core/evidence.js';
import { memoized } from '../core/memoized.js';
import { hashed, sha256 } from '../crypto/digest.js';
import { parsePemCertificates } from '../formats/pem.js';

type Kind = UsedEndorsement['kind'];

/** Limits for one tenant. A VCEK has 1.4 KiB, a set of collateral 50. */
interface MemoryBounds {
  readonly entries: number;
  readonly bytes: number;
}

const BOUNDS: MemoryBounds = { entries: 2048, bytes: 8 * 2 ** 20 };

/**
 * Endorsements used for evidence of a tenant, by digest: only those of sources, none of a request.
 * Bounded; the least recently used are removed first.
 */
export class RememberedEndorsements {
  readonly #bounds: MemoryBounds;
  /** The configuration names the tenants: their number is bounded. */
  readonly #ofTenants = new Map<string, LRUCache<string, HeldEndorsement>>();

  constructor(bounds = BOUNDS) {
    this.#bounds = bounds;
  }

  /**
   * @param digest lower-case hex
   * @returns null if the tenant has none with this digest
   */
  find(tenant: string, digest: string): HeldEndorsement | null {
    const found = this.#ofTenants.get(tenant)?.get(digest) ?? null;
    return found !== null && hex(sha256(found.value)) === digest ? found : null;
  }

  /** Remembers the endorsements that sources gave for a request of a tenant; nothing for a past verification time. */
  remember(
    requests: readonly EndorsementRequest[],
    set: EndorsementSet,
    { tenant, historical }: Pick<FetchContext, 'tenant' | 'historical'>,
  ): void {
    if (tenant === undefined || historical) return;
    const memory = this.#memoryOf(tenant);
    for (const { kind, bytes } of givenIn(requests, set)) {
      if (memory.get(bytes.sha256) !== undefined) continue;
      // A copy: a view of a longer answer would keep all of it.
      memory.set(bytes.sha256, { kind, sha256: bytes.sha256, value: Uint8Array.from(bytes.der) });
    }
  }

  #memoryOf(tenant: string): LRUCache<string, HeldEndorsement> {
    const known = this.#ofTenants.get(tenant);
    if (known !== undefined) return known;
    const { entries, bytes } = this.#bounds;
    const memory = new LRUCache<string, HeldEndorsement>({
      max: entries,
      maxSize: bytes,
      sizeCalculation: ({ value }) => Math.max(1, value.byteLength),
    });
    this.#ofTenants.set(tenant, memory);
    return memory;
  }
}

interface Given {
  readonly kind: Kind;
  readonly bytes: HashedDer;
}

/** Endorsements from sources, without any part of the request, even inside a set. */
function givenIn(
  requests: readonly EndorsementRequest[],
  { snp, tdx, tokenKeys, akIssuers = [] }: EndorsementSet,
): readonly Given[] {
  const signingKey = requests.find((request) => request.kind === 'amd-snp')?.signingKey;
  const kid = requests.find((request) => request.kind === 'token-keys')?.kid;
  return [
    ...(snp === null || signingKey === undefined ? [] : ofSnp(signingKey, snp)),
    ...(tdx == null || 'code' in tdx ? [] : ofTdx(tdx)),
    ...(kid === undefined ? [] : ownOf(tokenKeys).flatMap(({ keys }) => (keys.get(kid) ?? []).map(ofTokenKey))),
    ...akIssuers.flatMap(ownOf).map((bytes): Given => ({ kind: 'ak-ca', bytes })),
  ];
}

/** Material of a source; nothing if there is none, or it comes from the request. */
function ownOf<T>(found: Sourced<T> | Unavailable | null | undefined): readonly T[] {
  return found == null || 'code' in found || found.origin === 'evidence' ? [] : [found.value];
}

function ofSnp(signingKey: SnpSigningKey, { vek, chains, crls, otherCrls }: SnpEndorsementSet): readonly Given[] {
  const intermediate = signingKey === 'vcek' ? 'ask' : 'asvk';
  return [
    ...ownOf(vek).map((bytes): Given => ({ kind: signingKey, bytes })),
    ...[...chains.values()].flatMap(ownOf).flatMap(([issuer, root]): Given[] => [
      { kind: intermediate, bytes: issuer },
      { kind: 'ark', bytes: root },
    ]),
    ...[...crls.values(), ...[...otherCrls.values()].flat()]
      .flatMap(ownOf)
      .map((bytes): Given => ({ kind: 'crl', bytes })),
  ];
}

const ofTokenKey = memoized(({ spki }: TokenKey): Given => ({ kind: 'token-key', bytes: hashed(spki) }));

const OF_EACH_PART: { readonly [part in keyof CollateralOrigins]: (collateral: TdxCollateral) => Given[] } = {
  tcbInfo: ({ tcbInfo, tcbInfoIssuerChain }) => [
    { kind: 'tcb-info', bytes: hashed(fromUtf8(tcbInfo)) },
    ...chainOf('tcb-signing', tcbInfoIssuerChain),
  ],
  qeIdentity: ({ qeIdentity, qeIdentityIssuerChain }) => [
    { kind: 'qe-identity', bytes: hashed(fromUtf8(qeIdentity)) },
    ...chainOf('tcb-signing', qeIdentityIssuerChain),
  ],
  pckCrl: ({ pckCrl, pckCrlIssuerChain }) => [
    { kind: 'crl', bytes: hashed(pckCrl) },
    ...chainOf('pck-ca', pckCrlIssuerChain),
  ],
  rootCaCrl: ({ rootCaCrl }) => [{ kind: 'crl', bytes: hashed(rootCaCrl) }],
};
const PARTS = Object.keys(OF_EACH_PART) as readonly (keyof CollateralOrigins)[];

/** Sources return the same object as long as they cache a set: its content is parsed and hashed once. */
const inWholeSet = memoized((collateral: TdxCollateral) => PARTS.flatMap((part) => OF_EACH_PART[part](collateral)));

function ofTdx({ value, origin, partOrigins }: SourcedCollateral): readonly Given[] {
  const originOf = (part: keyof CollateralOrigins) => partOrigins?.[part] ?? origin;
  const own = PARTS.filter((part) => originOf(part) !== 'evidence');
  return own.length === PARTS.length ? inWholeSet(value) : own.flatMap((part) => OF_EACH_PART[part](value));
}

/** @param leaf the kind of the first certificate; above it is Intel's root */
function chainOf(leaf: Kind, pem: string): Given[] {
  const ders = nullIfMalformed(() => parsePemCertificates(pem, 'cert_chain')) ?? [];
  return ders.map((der, index) => ({ kind: index === 0 ? leaf : 'sgx-root', bytes: hashed(der) }));
}
