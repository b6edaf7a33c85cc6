import { SNP_PRODUCTS } from '../model/claims.js';
import type { ReferenceSet } from './policy-members.js';
import {
  hexOf,
  integerFrom,
  type Member,
  naming,
  nonEmptyListOf,
  object,
  oneOf,
  optional,
  optionalOrNull,
  type Reader,
  refined,
  required,
  someOf,
  textLike,
} from './readers.js';

const PCR_INDICES = Array.from({ length: 24 }, (_, index) => String(index));
/** The debug and the application PCR: a guest sets them back to zero and extends them as it likes. */
const RESETTABLE_PCRS: ReadonlySet<string> = new Set(['16', '23']);

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const readGuid = refined(textLike(GUID, 'a GUID'), (text) => text.toLowerCase());

const readSnpSection: Reader<NonNullable<ReferenceSet['snp']>> = naming(
  object({
    measurement: hexAlternatives(48),
    idKeyDigest: hexAlternatives(48),
    authorKeyDigest: hexAlternatives(48),
    hostData: hexAlternatives(32),
    vmpl: optionalOrNull(nonEmptyListOf(integerFrom(0, 3))),
  }),
);

const readTdxSection: Reader<NonNullable<ReferenceSet['tdx']>> = naming(
  object({
    mrtd: hexAlternatives(48),
    mrConfigId: hexAlternatives(48),
    mrOwner: hexAlternatives(48),
    mrOwnerConfig: hexAlternatives(48),
    rtmr0: hexAlternatives(48),
    rtmr1: hexAlternatives(48),
    rtmr2: hexAlternatives(48),
    rtmr3: hexAlternatives(48),
    mrSeam: hexAlternatives(48),
  }),
);

const readHclSection: Reader<NonNullable<ReferenceSet['hcl']>> = naming(
  object({ vmUniqueId: optionalOrNull(nonEmptyListOf(readGuid)) }),
);

/** Only SHA-256: values of the SHA-1 bank are never claims, and no other bank is quoted on Azure. */
const readPcrs = object({
  pcrs: required(object({ sha256: required(someOf(PCR_INDICES, pcrReader)) })),
});

const readTpmSection: Reader<NonNullable<ReferenceSet['tpm']>> = refined(readPcrs, ({ pcrs }) => ({
  sha256Pcrs: Object.entries(pcrs.sha256).map(([index, values = []]) => ({ index: Number(index), values })),
}));

const readMembers: Reader<ReferenceSet> = object({
  appliesTo: optional(object({ product: optionalOrNull(oneOf(SNP_PRODUCTS)) }), { product: null }),
  snp: optionalOrNull(readSnpSection),
  tdx: optionalOrNull(readTdxSection),
  hcl: optionalOrNull(readHclSection),
  tpm: optionalOrNull(readTpmSection),
});

/** One set of reference values: it names a section at least, and each section a member, with a value at least. */
export const readReferenceSet: Reader<ReferenceSet> = refined(readMembers, (set, at) => {
  const sections = [set.snp, set.tdx, set.hcl, set.tpm];
  return sections.every((section) => section === null) ? at.refuse('names no section of evidence') : set;
});

function hexAlternatives(bytes: number): Member<readonly string[] | null> {
  return optionalOrNull(nonEmptyListOf(hexOf(bytes)));
}

function pcrReader(index: string): Reader<readonly string[]> {
  if (!RESETTABLE_PCRS.has(index)) return nonEmptyListOf(hexOf(32));
  return (_value, at) => at.refuse('a guest can reset this PCR, so its value proves nothing');
}
