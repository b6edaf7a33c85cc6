import type { AkIssuersRequest, HashedDer, Sourced } from '../../core/endorsement.js';
import { UnfitError } from '../../core/errors.js';
import { groupedBy } from '../../core/grouped.js';
import { hashed } from '../../crypto/digest.js';
import { parseCertificate, type X509Certificate } from '../../formats/x509-certificate.js';
import { dersOf } from '../files/certificate-files.js';
import { ALL_FILES, attempt, type MaterialFiles, type NamedFile, type RefusedFile } from '../files/material-files.js';
import { type FolderOptions, type TakenFolder, WatchedFolder } from '../files/watched-folder.js';

/** More certificates than the possible paths of any vendor have. */
const MAXIMUM_FOUND = 64;

/** Steps from a leaf to the root of the longest path. */
const MAXIMUM_STEPS = 4;

/** A certificate of the folder, and the name above it. */
interface Authority {
  readonly sourced: Sourced<HashedDer>;
  readonly subject: string;
  readonly issuer: string;
  /** Name of its file. */
  readonly file: string;
}

/**
 * The operator's folder of issuers of attestation keys (`tpm.intermediates`). Read at start and whenever it changes;
 * certificates are recognised by content, not by file name, and the log names unused files. A missing folder counts as empty.
 *
 * Nothing in it is trusted: the verifier checks signatures, and whether a path ends at a pinned key.
 */
export class AkIssuerFolder extends WatchedFolder {
  #bySubject: ReadonlyMap<string, readonly Authority[]> = new Map();
  #authorities: readonly Authority[] = [];

  constructor(options: FolderOptions) {
    super({
      ...options,
      key: 'tpm.intermediates',
      material: ALL_FILES,
      what: 'folder of AK certificate issuers',
    });
  }

  /** Certificates with the requested name, and their issuers, without duplicates, the nearest first. */
  find({ issuer }: AkIssuersRequest): readonly Sourced<HashedDer>[] {
    const found = new Set<Authority>();
    let names: ReadonlySet<string> = new Set([nameKey(issuer)]);
    for (let step = 0; step < MAXIMUM_STEPS; step++) {
      const above = [...names].flatMap((name) => this.#bySubject.get(name) ?? []);
      for (const authority of above) found.add(authority);
      names = new Set(above.map((authority) => authority.issuer));
    }
    return [...found].slice(0, MAXIMUM_FOUND).map(({ sourced }) => sourced);
  }

  /** Every accepted certificate, in DER, under the name of its file. */
  get certificates(): readonly NamedFile[] {
    return this.#authorities.map(({ file, sourced }) => ({ name: file, bytes: sourced.value.der }));
  }

  protected override take({ files, refused }: MaterialFiles): TakenFolder {
    const unfit: RefusedFile[] = [];
    const authorities = new Map<string, Authority>();
    for (const file of files) {
      for (const der of dersOf(file, unfit)) {
        const read = attempt(() => readAuthority(der, file.name));
        if (read instanceof Error) unfit.push({ name: file.name, why: read.message });
        else authorities.set(read.sourced.value.sha256, read);
      }
    }
    this.#authorities = [...authorities.values()];
    this.#bySubject = groupedBy(this.#authorities, ({ subject }) => subject);
    return { refused: [...refused, ...unfit], counts: { issuers: authorities.size } };
  }
}

/** @throws {FormatError} @throws {UnfitError} if it is no certificate of an authority */
function readAuthority(der: Uint8Array, file: string): Authority {
  const { subject, issuer, basicConstraints }: X509Certificate = parseCertificate(der);
  if (basicConstraints?.ca !== true) throw new UnfitError('not the certificate of a CA');
  return {
    sourced: { value: hashed(der), origin: 'store' },
    subject: nameKey(subject.der),
    issuer: nameKey(issuer.der),
    file,
  };
}

function nameKey(name: Uint8Array): string {
  return Buffer.from(name).toString('base64');
}
