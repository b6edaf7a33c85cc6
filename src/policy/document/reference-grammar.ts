import { LINE_NAME } from '../../core/amd-lines.js';
import { optional, type Read, refined, type Schema } from '../../schema/schema.js';
import { list, naming, object, section, someOf } from '../../schema/structures.js';
import { hex, integer, lowerCase, pattern, refused, someText, uuid } from '../../schema/values.js';

/** Sections of claims in a set of reference values. */
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
/** The debug and the application PCR. A guest can reset them to zero and extend them to any value. */
const RESETTABLE_PCRS: ReadonlySet<string> = new Set(['16', '23']);

/** A list of at least one accepted value; null if absent. */
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

/** Converts a digest to lower case, as in claims. Does not change other text. */
const commandLine: Schema<string> = refined(someText, (text) =>
  /^(?:[0-9a-f]{64}|[0-9a-f]{96})$/i.test(text) ? text.toLowerCase() : text,
);

/** Boot claims of an event log. Digests are of the quoted bank; for variables, SHA-256 of their contents. */
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

/** SHA-256 only. Values of the SHA-1 bank are never claims, and Azure guests quote no other bank. */
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

/** One set of reference values. It has at least one section, each section a member, and each member a value. */
export const REFERENCE_SET = refined(members, (set, at) => {
  const sections = [set.snp, set.tdx, set.hcl, set.tpm];
  return sections.every((each) => each === null) ? at.refuse('names no section of evidence') : set;
});

/** One alternative of the reference values. */
export type ReferenceSet = Read<typeof REFERENCE_SET>;
