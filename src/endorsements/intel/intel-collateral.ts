import { hex } from '../../crypto/digest.js';
import { isRevoked } from '../../crypto/revocation-list.js';
import type { CollateralReader, Signed, SignedCollateral } from '../../crypto/tdx-collateral.js';
import { pckCaNamed } from '../../formats/pck-extension.js';
import type { X509Certificate } from '../../formats/x509-certificate.js';
import type { X509Crl } from '../../formats/x509-crl.js';
import { earliest, latest } from '../../model/earliest.js';
import type { TdxCollateralRequest } from '../../model/endorsement.js';
import type { TdxCollateral } from '../../model/evidence.js';
import { type CrlAge, isOlder } from '../crl-memory.js';
import { UnfitError, unfitIfMalformed } from '../unfit-error.js';

/** What one set of collateral is for: a kind of platform, and the CA whose PCK certificates it has. */
export type CollateralKey = Pick<TdxCollateralRequest, 'fmspc' | 'ca'>;

/** From when and until when something is current, both included. */
interface Window {
  readonly from: Date;
  readonly until: Date;
}

type DocumentMembers = Pick<
  TdxCollateral,
  'tcbInfo' | 'tcbInfoSignature' | 'tcbInfoIssuerChain' | 'qeIdentity' | 'qeIdentitySignature' | 'qeIdentityIssuerChain'
>;

/** TCB info and QE identity: they belong together. */
interface Documents extends Window {
  readonly members: DocumentMembers;
  /** tcbEvaluationDataNumber of both; the smaller one where they differ. */
  readonly evaluation: number;
  /** Whether both have the same number. */
  readonly isEven: boolean;
  /** `issueDate` of the TCB info. */
  readonly issued: Date;
}

/** A revocation list. */
interface List<Members> extends Window, CrlAge {
  readonly members: Members;
}

/** Collateral whose chains and signatures hold, in the parts that are renewed apart. */
export interface IntelCollateral extends CollateralKey {
  readonly documents: Documents;
  readonly pckList: List<Pick<TdxCollateral, 'pckCrl' | 'pckCrlIssuerChain'>>;
  readonly rootList: List<Pick<TdxCollateral, 'rootCaCrl'>>;
}

/** Key of collateral in a map and in names of files. */
export function keyName({ fmspc, ca }: CollateralKey): string {
  return `${fmspc}-${ca}`;
}

/**
 * Reads collateral and verifies everything in it but that it is current. What it is for is what it says itself.
 * @throws {UnfitError}
 */
export function readIntelCollateral(reader: CollateralReader, collateral: TdxCollateral): IntelCollateral {
  const { tcbInfo, qeIdentity, pckCrl, rootCrl } = verified(reader, collateral);
  const ca = pckCaNamed(pckCrl.value.issuer.commonName);
  if (ca === null) throw new UnfitError('revocation list is of no PCK CA');
  const numbers = [tcbInfo.value.evaluationDataNumber, qeIdentity.value.evaluationDataNumber];
  const { pckCrlIssuerChain, rootCaCrl, ...others } = collateral;
  const { pckCrl: pckCrlDer, ...members } = others;
  return {
    fmspc: hex(tcbInfo.value.fmspc),
    ca,
    documents: {
      members,
      evaluation: Math.min(...numbers),
      isEven: new Set(numbers).size === 1,
      issued: tcbInfo.value.issueDate,
      ...windowOf(
        [tcbInfo.value.issueDate, qeIdentity.value.issueDate],
        [tcbInfo.value.nextUpdate, qeIdentity.value.nextUpdate],
        [...tcbInfo.chain, ...qeIdentity.chain],
      ),
    },
    pckList: { members: { pckCrl: pckCrlDer, pckCrlIssuerChain }, ...ageOf(pckCrl) },
    rootList: { members: { rootCaCrl }, ...ageOf(rootCrl) },
  };
}

/** What was last made of each pair of documents. */
const WHOLE = new WeakMap<Documents, { readonly of: IntelCollateral; readonly whole: TdxCollateral }>();

/** The collateral as it was read: the same object for the same, by which a verifier knows what it has read before. */
export function collateralOf(collateral: IntelCollateral): TdxCollateral {
  const { documents, pckList, rootList } = collateral;
  const known = WHOLE.get(documents);
  if (known !== undefined && hasPartsOf(known.of, collateral)) return known.whole;
  const whole = { ...documents.members, ...pckList.members, ...rootList.members };
  WHOLE.set(documents, { of: collateral, whole });
  return whole;
}

/** From when and until when all of it is current. */
export function windowOfAll({ documents, pckList, rootList }: IntelCollateral): Window {
  return {
    from: latest([documents.from, pckList.from, rootList.from]),
    until: earliest(documents.until, pckList.until, rootList.until),
  };
}

/** Current at an instant, without leeway. */
export function isCurrent(collateral: IntelCollateral, at: Date): boolean {
  const { from, until } = windowOfAll(collateral);
  return from <= at && at <= until;
}

/** Whether some of it has ended before an instant. */
export function hasEnded(collateral: IntelCollateral, at: Date): boolean {
  return windowOfAll(collateral).until < at;
}

/** Whether it begins to be current after an instant. */
export function isFromAfter(collateral: IntelCollateral, at: Date): boolean {
  return windowOfAll(collateral).from > at;
}

/** Whether the documents of `a` are older than those of `b`: by evaluation number, and between equal ones by date. */
export function isOlderThan({ documents: a }: IntelCollateral, { documents: b }: IntelCollateral): boolean {
  return a.evaluation === b.evaluation ? a.issued < b.issued : a.evaluation < b.evaluation;
}

/** Of two sets for the same, the newer part each; `a`'s where none is newer. One that has them all is given itself. */
export function newestParts(a: IntelCollateral, b: IntelCollateral): IntelCollateral {
  const newest = {
    ...a,
    documents: isOlderThan(a, b) ? b.documents : a.documents,
    pckList: isOlder(a.pckList, b.pckList) ? b.pckList : a.pckList,
    rootList: isOlder(a.rootList, b.rootList) ? b.rootList : a.rootList,
  };
  return [a, b].find((one) => hasPartsOf(one, newest)) ?? newest;
}

/** The collateral with the parts of another in the place of those that have ended. Given itself where none has. */
export function withoutEnded(collateral: IntelCollateral, current: IntelCollateral, at: Date): IntelCollateral {
  const part = <P extends Window>(own: P, other: P) => (own.until < at ? other : own);
  const whole = {
    ...collateral,
    documents: part(collateral.documents, current.documents),
    pckList: part(collateral.pckList, current.pckList),
    rootList: part(collateral.rootList, current.rootList),
  };
  return hasPartsOf(collateral, whole) ? collateral : whole;
}

/**
 * The collateral with newer revocation lists out of others, where these are current: a list is of a CA, whatever the
 * platform that it came for. Given itself where there are none.
 */
export function withNewestLists(
  collateral: IntelCollateral,
  others: readonly IntelCollateral[],
  at: Date,
): IntelCollateral {
  const isInTime = ({ from, until }: Window) => from <= at && at <= until;
  const newer = <L extends CrlAge>(a: L, b: L) => (isOlder(a, b) ? b : a);
  const ofCa = others.filter(({ ca }) => ca === collateral.ca);
  const pckList = ofCa
    .map((other) => other.pckList)
    .filter(isInTime)
    .reduce(newer, collateral.pckList);
  const rootList = others
    .map((other) => other.rootList)
    .filter(isInTime)
    .reduce(newer, collateral.rootList);
  const newest = { ...collateral, pckList, rootList };
  return hasPartsOf(collateral, newest) ? collateral : newest;
}

function hasPartsOf(a: IntelCollateral, b: IntelCollateral): boolean {
  return a.documents === b.documents && a.pckList === b.pckList && a.rootList === b.rootList;
}

function verified(reader: CollateralReader, collateral: TdxCollateral): SignedCollateral {
  const reading = unfitIfMalformed(() => reader.read(collateral));
  if (!reading.ok) {
    const [problem] = reading.problems;
    throw new UnfitError(problem === undefined ? 'collateral does not verify' : `${problem.member}: ${problem.detail}`);
  }
  refuseRevoked(reading.value);
  return reading.value;
}

/** None of those who signed it is on the list of the root. */
function refuseRevoked({ tcbInfo, qeIdentity, pckCrl, rootCrl }: SignedCollateral): void {
  const signers = [tcbInfo, qeIdentity, pckCrl].flatMap(({ chain }) => chain.slice(0, 1));
  if (signers.some(({ serial }) => isRevoked(rootCrl.value, serial))) throw new UnfitError('a signer is revoked');
}

function ageOf({ value, chain }: Signed<X509Crl>): Window & CrlAge {
  const { crlNumber, thisUpdate, nextUpdate } = value;
  if (crlNumber === null || thisUpdate === null) throw new UnfitError('revocation list does not say when it counts');
  return { number: crlNumber, thisUpdate, ...windowOf([thisUpdate], [nextUpdate], chain) };
}

/** The last instant that a Date holds (ECMA-262, 21.4.1.1). */
const LATEST_MS = 8.64e15;

/** What does not say when it begins or ends is never current. */
function windowOf(
  starts: readonly (Date | null)[],
  ends: readonly (Date | null)[],
  certificates: readonly X509Certificate[],
): Window {
  const begins = [...starts, ...certificates.map(({ notBefore }) => notBefore)];
  const finishes = [...ends, ...certificates.map(({ notAfter }) => notAfter)];
  return {
    from: new Date(Math.max(...begins.map((begin) => begin?.getTime() ?? LATEST_MS))),
    until: new Date(Math.min(...finishes.map((end) => end?.getTime() ?? 0))),
  };
}
