import type { CheckId } from '../core/codes.js';
import { isSameName } from '../formats/distinguished-name.js';
import type { X509Certificate } from '../formats/x509-certificate.js';
import { type CrlFrame, readCrlEntries, type X509Crl } from '../formats/x509-crl.js';
import { EXTENSION, repeatedExtension, type X509Extension } from '../formats/x509-extension.js';
import { algorithmFitsKey, verifyIssuedSignature } from './issued-signature.js';
import { keyProblem, type PathProfile } from './path-profile.js';

export interface RevocationListProblem {
  readonly code: Extract<CheckId, 'crl_invalid' | 'crl_stale'>;
  /** One sentence as message: lower case, no period. */
  readonly detail: string;
}

/** A verified CRL with its entries, or why it does not verify. */
export type RevocationListReading =
  | { readonly ok: true; readonly list: X509Crl }
  | { readonly ok: false; readonly problem: RevocationListProblem };

/**
 * Verifies a CRL (RFC 5280 section 6.3.3) without time: it is complete, signed by its
 * issuer, and covers all certificates of that issuer. `checkRevocationListTime` checks time. Its entries are parsed once the
 * signature verifies, so that only the issuer decides how many there are.
 *
 * Not checked: whether the issuer is trusted (verify its path first), and whether there is a newer CRL. Rejects an issuing
 * distribution point even without a restriction: no CRL of a supported vendor has one.
 *
 * @param profile allowed algorithms and issuer keys, as in the issuer's path
 * @throws {FormatError} `cert_format` if the signed entries are malformed
 */
export function verifyRevocationList(
  crl: CrlFrame,
  issuer: X509Certificate,
  profile: PathProfile,
): RevocationListReading {
  const invalid = (detail: string): RevocationListReading => ({ ok: false, problem: { code: 'crl_invalid', detail } });
  const foreign = origin(crl, issuer, profile);
  if (foreign !== null) return invalid(foreign);
  const list = readCrlEntries(crl);
  const unfit = scope(list) ?? entries(list);
  return unfit === null ? { ok: true, list } : invalid(unfit);
}

/**
 * Checks a CRL at a verification time, without leeway. A CRL without an end cannot be distinguished from an old one, so
 * it counts as stale.
 */
export function checkRevocationListTime({ thisUpdate, nextUpdate }: CrlFrame, at: Date): RevocationListProblem | null {
  const problem = (code: RevocationListProblem['code'], what: string) => ({ code, detail: `CRL ${what}` });
  if (thisUpdate === null) return problem('crl_invalid', 'does not say when it was made');
  if (at < thisUpdate) return problem('crl_invalid', `is from the future, of ${thisUpdate.toISOString()}`);
  if (nextUpdate === null) return problem('crl_stale', 'does not say when the next one is due');
  return at > nextUpdate ? problem('crl_stale', `is past its next update, ${nextUpdate.toISOString()}`) : null;
}

/** How new a CRL is within its series: by number, and between equal numbers by date. */
export interface CrlAge {
  readonly number: bigint;
  readonly thisUpdate: Date;
}

export function isOlder(a: CrlAge, b: CrlAge): boolean {
  return a.number === b.number ? a.thisUpdate < b.thisUpdate : a.number < b.number;
}

/** Whether a serial number is on the CRL. Only valid for certificates of the CRL's issuer. */
export function isRevoked(crl: X509Crl, serial: Uint8Array): boolean {
  return crl.entries.some((entry) => Buffer.compare(entry.serial, serial) === 0);
}

function origin(crl: CrlFrame, issuer: X509Certificate, profile: PathProfile): string | null {
  const { name } = crl.outerAlgorithm;
  if (!isSameName(crl.issuer, issuer.subject)) return 'CRL is from another issuer';
  if (issuer.keyUsage?.crlSign !== true) return 'issuer may not sign CRLs';
  if (name === null || !profile.signatureAlgorithms.has(name)) return 'signature algorithm is not allowed';
  if (!algorithmFitsKey(name, issuer.publicKey)) return "signature algorithm does not fit the issuer's key";
  const weakness = keyProblem(issuer.publicKey, profile.issuerKeys);
  if (weakness !== null) return weakness;
  if (!verifyIssuedSignature(crl, name, issuer)) return 'signature does not verify';
  const isSame = Buffer.compare(crl.innerAlgorithm.bytes, crl.outerAlgorithm.bytes) === 0;
  return isSame ? null : 'the signed and the stated signature algorithm differ';
}

/** RFC 5280 5.2: version 2 with a number, complete, and without an unsupported critical extension. */
function scope({ version, extensions, crlNumber }: CrlFrame): string | null {
  if (version !== 2) return `CRL is of version ${version}, not 2`;
  const repeated = repeatedExtension(extensions);
  if (repeated !== null) return `extension ${repeated} appears twice`;
  const has = (oid: string) => extensions.some((extension) => extension.oid === oid);
  if (has(EXTENSION.deltaCrlIndicator)) return 'CRL is a delta CRL';
  if (has(EXTENSION.issuingDistributionPoint)) return 'CRL is indirect, or covers only some certificates';
  const unknown = criticalOtherThan(extensions, EXTENSION.crlNumber);
  if (unknown !== null) return `critical extension ${unknown} is not understood`;
  return crlNumber === null ? 'CRL has no number' : null;
}

/** RFC 5280 5.3. An entry for another issuer's certificate exists in indirect CRLs only. */
function entries(crl: X509Crl): string | null {
  for (const { extensions } of crl.entries) {
    if (extensions.some(({ oid }) => oid === EXTENSION.certificateIssuer)) return 'entry is for another issuer';
    if (criticalOtherThan(extensions, null) !== null) return 'entry has a critical extension that is not understood';
  }
  return null;
}

function criticalOtherThan(extensions: readonly X509Extension[], understood: string | null): string | null {
  return extensions.find(({ critical, oid }) => critical && oid !== understood)?.oid ?? null;
}
