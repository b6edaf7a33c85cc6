import type { SnpProduct } from '../../core/claims.js';
import type { Provenance } from '../../core/endorsement.js';
import type { CrlAge } from '../../crypto/revocation-list.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { AmdChain } from '../../tee/snp/amd/chain.js';
import { lineName, type SnpLine } from '../../tee/snp/amd/issuers.js';
import { isDamaged, type Marks } from '../files/rollback-marks.js';
import { fetchedOn } from './amd-cache.js';
import type { AmdCrlSupply, HeldCrl } from './amd-crl-supply.js';
import type { AmdParts } from './amd-parts.js';

export interface HeldChain extends Provenance {
  readonly chain: AmdChain;
}

/** Available certificates and CRLs for a product line and kind of key: from folder, cache, and product. A snapshot is immutable. */
export interface LineSnapshot {
  readonly line: SnpLine;
  /** In order of preference. */
  readonly chains: readonly HeldChain[];
  /** Null if no root of the line is available. */
  readonly ark: X509Certificate | null;
  /** All CRLs that this root signed, including expired ones. */
  readonly crls: readonly HeldCrl[];
  readonly marks: Marks<CrlAge>;
  /** When the CRL of the series was last fetched; null where that is not known. */
  readonly crlFetchedAt: Date | null;
}

/** A snapshot with its ARK, without which no CRL of the line can be verified. */
export type RootedSnapshot = LineSnapshot & { readonly ark: X509Certificate };

export function isRooted(snapshot: LineSnapshot): snapshot is RootedSnapshot {
  return snapshot.ark !== null;
}

interface Kept {
  readonly snapshot: LineSnapshot;
  /** Change counters of folder, cache and marks at the begin of the snapshot. */
  readonly changes: number;
}

/**
 * Snapshots of the product lines, so that a request reads cached material without waiting. A change of folder,
 * cache or a mark replaces the whole snapshot at the next request.
 */
export class LineSnapshots {
  readonly #parts: AmdParts;
  readonly #supply: AmdCrlSupply;
  readonly #kept = new Map<string, Kept>();

  constructor(parts: AmdParts, supply: AmdCrlSupply) {
    this.#parts = parts;
    this.#supply = supply;
  }

  of(line: SnpLine): LineSnapshot | Promise<LineSnapshot> {
    const kept = this.#kept.get(lineName(line));
    return kept?.changes === this.#changes ? kept.snapshot : this.#make(line);
  }

  /** Makes the snapshot under a root that was fetched for one request. */
  async under(snapshot: LineSnapshot, ark: X509Certificate): Promise<RootedSnapshot> {
    return { ...(await this.of(snapshot.line)), ark, crls: await this.#supply.held({ line: snapshot.line, ark }) };
  }

  get #changes(): number {
    const { directory, cache, memory } = this.#parts;
    return directory.changes + cache.changes + memory.changes;
  }

  async #make(line: SnpLine): Promise<LineSnapshot> {
    const changes = this.#changes;
    const { cache, memory } = this.#parts;
    // Read before the CRLs, so that the snapshot has the CRL that raised the mark.
    const marks = await memory.marks(lineName(line));
    const ark = await this.#arkOf(line.product);
    const snapshot: LineSnapshot = {
      line,
      chains: await this.#chainsOf(line),
      ark,
      crls: ark === null ? [] : await this.#supply.held({ line, ark }),
      marks,
      crlFetchedAt: await cache.crlFetchedAt(line),
    };
    // A damaged mark is read again at each request: a repaired one takes effect at once.
    if (!isDamaged(marks.highest)) this.#kept.set(lineName(line), { snapshot, changes });
    return snapshot;
  }

  async #chainsOf(line: SnpLine): Promise<readonly HeldChain[]> {
    const stored = this.#parts.directory.chains(line).map((chain) => ({ chain, origin: 'store' as const }));
    const cached = await this.#parts.cache.chains(line);
    const carried = this.#parts.carried.filter((chain) => lineName(chain) === lineName(line));
    return [
      ...stored,
      ...cached.map((chain) => ({ chain, origin: 'cache' as const, ...fetchedOn(this.#parts.cache, chain) })),
      ...carried.map((chain) => ({ chain, origin: 'carried' as const })),
    ];
  }

  async #arkOf(product: SnpProduct): Promise<X509Certificate | null> {
    const { directory, cache, carried } = this.#parts;
    const stored = directory.ark(product);
    if (stored !== null) return stored;
    const [vcek] = await cache.chains({ product, signingKey: 'vcek' });
    const [vlek] = await cache.chains({ product, signingKey: 'vlek' });
    return (vcek ?? vlek ?? carried.find((chain) => chain.product === product))?.ark ?? null;
  }
}
