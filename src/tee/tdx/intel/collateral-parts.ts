import { hex } from '../../../core/bytes.js';
import { earliest, latest } from '../../../core/earliest.js';
import type { TdxCollateralRequest } from '../../../core/endorsement.js';
import { UnfitError, unfitIfMalformed } from '../../../core/errors.js';
import type { TdxCollateral } from '../../../core/evidence.js';
import { type CrlAge, isOlder, isRevoked } from '../../../crypto/revocation-list.js';
import type { X509Certificate } from '../../../formats/x509-certificate.js';
import type { X509Crl } from '../../../formats/x509-crl.js';
import type { CollateralReader, SignedCollateral } from './collateral.js';
import { pckCaNamed } from './pck-extension.js';
import type { QeIdentity } from './qe-identity.js';
import type { Signed } from './signed-part.js';
import type { TcbInfo } from './tcb-info.js';

/** The scope of one set of collateral: a kind of platform, and the CA of its PCK certificates. */
export type CollateralKey = Pick<TdxCollateralRequest, 'fmspc' | 'ca'>;

/** The time in which something is current, both ends included. */
export interface Window {
  readonly from: Date;
  readonly until: Date;
}

/**
 * A part that is renewed separately, with its age: number and date of a CRL, `tcbEvaluationDataNumber` and `issueDate`
 * of a document.
 */
interface Part<Member extends keyof TdxCollateral = never> extends Window, CrlAge {
  readonly members: Pick<TdxCollateral, Member>;
}

/** The parts of collateral with valid chains and signatures. */
export interface IntelCollateral extends CollateralKey {
  readonly tcbInfo: Part<'tcbInfo' | 'tcbInfoSignature' | 'tcbInfoIssuerChain'>;
  readonly qeIdentity: Part<'qeIdentity' | 'qeIdentitySignature' | 'qeIdentityIssuerChain'>;
  readonly pckList: Part<'pckCrl' | 'pckCrlIssuerChain'>;
  readonly rootList: Part<'rootCaCrl'>;
}

type PartName = Exclude<keyof IntelCollateral, keyof CollateralKey>;

const PART_NAMES: readonly PartName[] = ['tcbInfo', 'qeIdentity', 'pckList', 'rootList'];

/** Name of a scope as a key of maps and in file names. */
export function keyName({ fmspc, ca }: CollateralKey): string {
  return `${fmspc}-${ca}`;
}

/**
 * Reads collateral and verifies everything except that it is current. FMSPC and CA are those in the collateral.
 * @throws {UnfitError}
 */
export function readIntelCollateral(reader: CollateralReader, collateral: TdxCollateral): IntelCollateral {
  const { tcbInfo, qeIdentity, pckCrl, rootCrl } = verifiedCollateral(reader, collateral);
  const ca = pckCaNamed(pckCrl.value.issuer.commonName);
  if (ca === null) throw new UnfitError('CRL is not from a PCK CA');
  const { tcbInfo: tcbText, tcbInfoSignature, tcbInfoIssuerChain } = collateral;
  const { qeIdentity: qeText, qeIdentitySignature, qeIdentityIssuerChain } = collateral;
  const { pckCrl: pckCrlDer, pckCrlIssuerChain, rootCaCrl } = collateral;
  return {
    fmspc: hex(tcbInfo.value.fmspc),
    ca,
    tcbInfo: { members: { tcbInfo: tcbText, tcbInfoSignature, tcbInfoIssuerChain }, ...ageOfDocument(tcbInfo) },
    qeIdentity: {
      members: { qeIdentity: qeText, qeIdentitySignature, qeIdentityIssuerChain },
      ...ageOfDocument(qeIdentity),
    },
    pckList: { members: { pckCrl: pckCrlDer, pckCrlIssuerChain }, ...ageOfList(pckCrl) },
    rootList: { members: { rootCaCrl }, ...ageOfList(rootCrl) },
  };
}

/** The last set that was assembled with each cached TCB info. */
const WHOLE = new WeakMap<
  IntelCollateral['tcbInfo'],
  { readonly of: IntelCollateral; readonly whole: TdxCollateral }
>();

/**
 * Assembles cached parts into one set. The same parts give the same object, so a verifier can memoize by it.
 */
export function collateralOf(collateral: IntelCollateral): TdxCollateral {
  const known = WHOLE.get(collateral.tcbInfo);
  if (known !== undefined && hasPartsOf(known.of, collateral)) return known.whole;
  const whole = collateralForOnce(collateral);
  WHOLE.set(collateral.tcbInfo, { of: collateral, whole });
  return whole;
}

/**
 * Assembles a set that contains a part of a request. Not cached, because a cached TCB info would keep that part in
 * memory.
 */
export function collateralForOnce({ tcbInfo, qeIdentity, pckList, rootList }: IntelCollateral): TdxCollateral {
  return { ...tcbInfo.members, ...qeIdentity.members, ...pckList.members, ...rootList.members };
}

/** The time in which all parts are current. */
export function windowOfAll({ tcbInfo, qeIdentity, pckList, rootList }: IntelCollateral): Window {
  return {
    from: latest([tcbInfo.from, qeIdentity.from, pckList.from, rootList.from]),
    until: earliest(tcbInfo.until, qeIdentity.until, pckList.until, rootList.until),
  };
}

/** Whether all parts are current at a time, without leeway. */
export function isCurrent(collateral: IntelCollateral, at: Date): boolean {
  const { from, until } = windowOfAll(collateral);
  return from <= at && at <= until;
}

/** Whether some part has expired before a time. */
export function hasEnded(collateral: IntelCollateral, at: Date): boolean {
  return windowOfAll(collateral).until < at;
}

/** Whether some part is not yet current at a time. */
export function isFromAfter(collateral: IntelCollateral, at: Date): boolean {
  return windowOfAll(collateral).from > at;
}

/** Whether two sets share a part, compared by object identity. */
export function hasPartOf(a: IntelCollateral, b: IntelCollateral): boolean {
  return PART_NAMES.some((name) => a[name] === b[name]);
}

/**
 * Selects the newer of each part of two sets for the same platform and CA; the part of `a` if they are equally new.
 * Returns `a` or `b` itself if it has all selected parts.
 */
export function newestParts(a: IntelCollateral, b: IntelCollateral): IntelCollateral {
  return chosenParts(a, b, (own, other) => isOlder(own, other));
}

/** Replaces expired parts by those of `current`. Returns the same object if none has expired. */
export function withoutEnded(collateral: IntelCollateral, current: IntelCollateral, at: Date): IntelCollateral {
  return chosenParts(collateral, current, (own) => own.until < at);
}

/**
 * Replaces parts that are not platform-specific (CRLs, QE identity) by newer current parts. Returns the same object if
 * none is newer.
 */
export function withNewestShared(
  collateral: IntelCollateral,
  others: readonly IntelCollateral[],
  at: Date,
): IntelCollateral {
  return allWithNewestShared([collateral], others, at)[0] ?? collateral;
}

/** Applies `withNewestShared` to many sets in linear time. */
export function allWithNewestShared(
  sets: readonly IntelCollateral[],
  others: readonly IntelCollateral[],
  at: Date,
): readonly IntelCollateral[] {
  const newest = <Name extends PartName>(name: Name, of: readonly CollateralKey['ca'][] = ['platform', 'processor']) =>
    others
      .filter(({ ca }) => of.includes(ca))
      .map((other) => other[name])
      .filter(({ from, until }) => from <= at && at <= until)
      .reduce<IntelCollateral[Name] | null>((a, b) => (a === null ? b : newerOf(a, b)), null);
  const [qeIdentity, rootList] = [newest('qeIdentity'), newest('rootList')];
  const pckLists = { platform: newest('pckList', ['platform']), processor: newest('pckList', ['processor']) };
  return sets.map((set) => {
    const whole = {
      ...set,
      qeIdentity: newerOf(set.qeIdentity, qeIdentity),
      pckList: newerOf(set.pckList, pckLists[set.ca]),
      rootList: newerOf(set.rootList, rootList),
    };
    return hasPartsOf(set, whole) ? set : whole;
  });
}

/** Selects the newer part, or the first if they are equally new. */
function newerOf<P extends Part>(own: P, other: P | null): P {
  return other !== null && isOlder(own, other) ? other : own;
}

function chosenParts(
  a: IntelCollateral,
  b: IntelCollateral,
  takesOther: (own: Part, other: Part) => boolean,
): IntelCollateral {
  const part = <P extends Part>(own: P, other: P) => (takesOther(own, other) ? other : own);
  const chosen = {
    ...a,
    tcbInfo: part(a.tcbInfo, b.tcbInfo),
    qeIdentity: part(a.qeIdentity, b.qeIdentity),
    pckList: part(a.pckList, b.pckList),
    rootList: part(a.rootList, b.rootList),
  };
  return [a, b].find((one) => hasPartsOf(one, chosen)) ?? chosen;
}

function hasPartsOf(a: IntelCollateral, b: IntelCollateral): boolean {
  return PART_NAMES.every((name) => a[name] === b[name]);
}

/**
 * Verifies chains, signatures, and that no signer is revoked. The caller checks that the collateral is current.
 * @throws {UnfitError}
 */
export function verifiedCollateral(reader: CollateralReader, collateral: TdxCollateral): SignedCollateral {
  const reading = unfitIfMalformed(() => reader.read(collateral));
  if (!reading.ok) {
    const [problem] = reading.problems;
    throw new UnfitError(problem === undefined ? 'collateral does not verify' : `${problem.member}: ${problem.detail}`);
  }
  refuseRevoked(reading.value);
  return reading.value;
}

/** @throws {UnfitError} if the root CA CRL revokes one of the certificates that signed the collateral */
function refuseRevoked({ tcbInfo, qeIdentity, pckCrl, rootCrl }: SignedCollateral): void {
  const signers = [tcbInfo, qeIdentity, pckCrl].flatMap(({ chain }) => chain.slice(0, 1));
  if (signers.some(({ serial }) => isRevoked(rootCrl.value, serial))) throw new UnfitError('a signer is revoked');
}

function ageOfDocument({ value, chain }: Signed<TcbInfo | QeIdentity>): Window & CrlAge {
  const { evaluationDataNumber, issueDate, nextUpdate } = value;
  return {
    number: BigInt(evaluationDataNumber),
    thisUpdate: issueDate,
    ...windowOf(issueDate, nextUpdate, chain),
  };
}

function ageOfList({ value, chain }: Signed<X509Crl>): Window & CrlAge {
  const { crlNumber, thisUpdate, nextUpdate } = value;
  if (crlNumber === null || thisUpdate === null) throw new UnfitError('CRL does not state its validity');
  return { number: crlNumber, thisUpdate, ...windowOf(thisUpdate, nextUpdate, chain) };
}

/** The latest time that a Date can hold (ECMA-262, 21.4.1.1). */
const LATEST_MS = 8.64e15;

/** The validity of a part with its certificates. A part without a beginning or an end is never current. */
export function windowOf(start: Date, end: Date | null, certificates: readonly X509Certificate[]): Window {
  const starts = [start, ...certificates.map(({ notBefore }) => notBefore)];
  const ends = [end, ...certificates.map(({ notAfter }) => notAfter)];
  return {
    from: new Date(Math.max(...starts.map((begin) => begin?.getTime() ?? LATEST_MS))),
    until: new Date(Math.min(...ends.map((finish) => finish?.getTime() ?? 0))),
  };
}
