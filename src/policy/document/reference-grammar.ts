import { LINE_NAME } from '../../core/amd-lines.js';
import { optional, type Read, refined, type Schema } from '../../schema/schema.js';
import { list, naming, object, section, someOf } from '../../schema/structures.js';
import { hex, integer, lowerCase, pattern, refused, someText, uuid } from '../../schema/values.js';

/** Sections of claims that a set of reference values can speak about. */
export const REFERENCE_SECTIONS = ['snp', 'tdx', 'hcl', 'tpm'] as const;
export type ReferenceSection = (typeof REFERENCE_SECTIONS)[number];

export const TDX_REGISTERS = [
  'mrtd',
  'mrConfigId',
  'mrOwner',
  'mrOwnerConfig',
  'rtmr0',
  'rtmr1',
  'rtmr2',
  'rtmr3',
  'mrSeam',
] as const;
export type TdxRegister = (typeof TDX_REGISTERS)[number];

const PCR_INDICES = Array.from({ length: 24 }, (_, index) => String(index));
/** The debug and the application PCR: a guest sets them back to zero and extends them as it likes. */
const RESETTABLE_PCRS: ReadonlySet<string> = new Set(['16', '23']);

/** A list of acceptable values: one at least, or null if absent. */
export function alternatives<T>(item: Schema<T>): Schema<readonly T[] | null> {
  return optional(list(item, 'filled'), null);
}

const snp = naming(
  object({
    measurement: alternatives(hex(48)),
    idKeyDigest: alternatives(hex(48)),
    authorKeyDigest: alternatives(hex(48)),
    hostData: alternatives(hex(32)),
    vmpl: alternatives(integer(0, 3)),
  }),
);

/** A digest in lower case, as claims have it; any other text as it is. */
const commandLine: Schema<string> = refined(someText, (text) =>
  /^(?:[0-9a-f]{64}|[0-9a-f]{96})$/i.test(text) ? text.toLowerCase() : text,
);

/** The boot by an event log. Digests are of the bank that is quoted; of variables, SHA-256 of their contents. */
function bootGrammar(digestBytes: number) {
  return naming(
    object({
      applications: alternatives(hex(digestBytes)),
      /** As text, or as a digest. */
      commandLines: alternatives(commandLine),
      files: alternatives(hex(digestBytes)),
      db: alternatives(hex(32)),
      dbx: alternatives(hex(32)),
    }),
  );
}

const bootOfTd = bootGrammar(48);
export type BootReferences = Read<typeof bootOfTd>;

const registers = Object.fromEntries(TDX_REGISTERS.map((register) => [register, alternatives(hex(48))]));
const tdx = naming(
  object({
    ...(registers as { [register in TdxRegister]: Schema<readonly string[] | null> }),
    boot: optional(bootOfTd, null),
  }),
);

const hcl = naming(object({ vmUniqueId: alternatives(lowerCase(uuid)) }));

function pcrValues(index: string): Schema<readonly string[]> {
  if (!RESETTABLE_PCRS.has(index)) return list(hex(32), 'filled');
  return refused('a guest can reset this PCR, so its value proves nothing');
}

/** Only SHA-256: values of the SHA-1 bank are never claims, and no other bank is quoted on Azure. */
const pcrs = object({ sha256: someOf(PCR_INDICES, pcrValues) });

const tpm = refined(naming(object({ pcrs: optional(pcrs, null), boot: optional(bootGrammar(32), null) })), (read) => ({
  sha256Pcrs: Object.entries(read.pcrs?.sha256 ?? {}).map(([index, values = []]) => ({ index: Number(index), values })),
  boot: read.boot,
}));

/** A member that is null is not compared. */
const members = object({
  appliesTo: section({ product: optional(pattern(LINE_NAME, 'the name of a product line, such as Milan'), null) }),
  snp: optional(snp, null),
  tdx: optional(tdx, null),
  hcl: optional(hcl, null),
  tpm: optional(tpm, null),
});

/** One set of reference values: it names a section at least, and each section a member, with a value at least. */
export const REFERENCE_SET = refined(members, (set, at) => {
  const sections = [set.snp, set.tdx, set.hcl, set.tpm];
  return sections.every((each) => each === null) ? at.refuse('names no section of evidence') : set;
});

/** One alternative of the reference values. */
export type ReferenceSet = Read<typeof REFERENCE_SET>;
