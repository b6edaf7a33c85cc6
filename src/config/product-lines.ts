import { AMD_LINES, type AmdLine, ANY_STEPPING, LINE_NAME, type Range } from '../core/amd-lines.js';
import type { Place, Read } from '../schema/schema.js';
import { entries, list, naming, object } from '../schema/structures.js';
import { choice, hex, integer, single } from '../schema/values.js';

const MODEL_MAX = 0xff;
const NUMBER = '0[xX][0-9a-fA-F]{1,2}|\\d{1,3}';
const MODELS = new RegExp(`^(${NUMBER})(?:-(${NUMBER}))?$`);

/** A model, or an inclusive range of models: `0x50-0x57` or `[0x50, 0x57]`; null if it is neither. */
function rangeFrom(raw: unknown): Range | null {
  const ends = Array.isArray(raw) && raw.length === 2 ? raw : [raw];
  const text = ends.every((end) => typeof end === 'number' || typeof end === 'string') ? ends.join('-') : '';
  const [, low, high = low] = MODELS.exec(text) ?? [];
  const range: Range = [Number(low), Number(high)];
  return range[0] <= range[1] && range[1] <= MODEL_MAX ? range : null;
}

const MODELS_FORM = `a model from 0 to ${MODEL_MAX}, or a range such as 0x50-0x57`;

/** Kept as written. */
const range = single('json', MODELS_FORM, (raw) => (rangeFrom(raw) === null ? undefined : raw));

const models = list(range, 'filled');

/** A product line of AMD that this version does not include. */
const productLine = object({
  /** SHA-256 of the SubjectPublicKeyInfo of each ARK. */
  arkSpki: list(hex(32), 'filled', 'distinct'),
  /** Family and models of its processors, as in CPUID. */
  cpuid: object({ family: integer(0, 0xff), models }),
  /** Models of each part, by its name. */
  parts: naming(entries(LINE_NAME, models)),
  /** Bytes of hwID in its key certificates. */
  hwid: single('json', '8 or 64', (raw) => (raw === 8 || raw === 64 ? raw : undefined)),
  /** The line with the same layout of TCB_VERSION. */
  tcb: choice('milan', 'turin'),
});

/** Product lines by name. */
export const productLines = entries(LINE_NAME, productLine);

/** The part of the section `amd` about product lines. */
interface LineSettings {
  readonly products: Read<typeof productLines>;
  readonly refuseProducts: readonly string[];
}

/** The product lines of a configuration. */
export function configuredLines({ products }: Pick<LineSettings, 'products'>): readonly AmdLine[] {
  return Object.entries(products).map(([name, line]) => lineFrom(name, line));
}

function lineFrom(product: string, { arkSpki, cpuid, parts, hwid, tcb }: Read<typeof productLine>): AmdLine {
  return {
    product,
    arkSpki: new Set(arkSpki),
    family: cpuid.family,
    models: rangesIn(cpuid.models),
    parts: Object.entries(parts).map(([part, own]) => ({ part, models: rangesIn(own), steppings: ANY_STEPPING })),
    otherNames: [],
    chipIdBytes: hwid,
    layout: tcb,
  };
}

function rangesIn(written: Read<typeof models>): readonly Range[] {
  return written.map(rangeFrom).filter((range) => range !== null);
}

/** Rejects product lines that could be confused with others, and refusals of unknown products. */
export function checkProductLines(amd: LineSettings, at: Place): void {
  const lines = configuredLines(amd);
  lines.forEach((line, index) => {
    const place = at.member('products', line.product);
    // Of two equal configured lines, the second is rejected.
    const others = [...AMD_LINES.values(), ...lines.slice(0, index)];
    checkName(line, others, place);
    checkParts(line, others, place.member('parts'));
    checkPins(line, others, place.member('arkSpki'));
    checkModels(line, others, place.member('cpuid', 'models'));
  });
  const products = [...AMD_LINES.keys(), ...lines.map(({ product }) => product)];
  amd.refuseProducts.forEach((product, index) => {
    if (!products.includes(product)) at.member('refuseProducts', index).refuse(`must be one of ${products.join(', ')}`);
  });
}

/** Names are compared without case: file names of a line are in lower case. */
const folded = (name: string) => name.toLowerCase();

/** The value of `part` in a claim for a model without a part. */
const RESERVED = ['unknown'];
/** Such a name would make the name of an issuer (`SEV-VLEK-X`) or of a key certificate (`SEV-VCEK`) ambiguous. */
const OF_KEYS = /^(?:vcek|vlek)(?:-|$)/;

function namesOf({ product, otherNames, parts }: AmdLine): readonly string[] {
  return [product, ...otherNames, ...parts.map(({ part }) => part), ...RESERVED].map(folded);
}

function checkName({ product }: AmdLine, others: readonly AmdLine[], at: Place): void {
  const name = folded(product);
  if (OF_KEYS.test(name)) at.refuse('must not be VCEK or VLEK, or begin with one: names of certificates begin so');
  if (others.some((other) => namesOf(other).includes(name))) at.refuse('is the name of another line or part');
  const lineNames = others.flatMap((other) => [other.product, ...other.otherNames]);
  // The name in a key certificate is the line, a hyphen and the stepping.
  const near = lineNames.find((own) => name.startsWith(`${folded(own)}-`) || folded(own).startsWith(`${name}-`));
  if (near !== undefined) at.refuse(`differs from ${near} by what follows a hyphen, as the steppings of one line do`);
}

function checkParts({ product, parts, models: all }: AmdLine, others: readonly AmdLine[], at: Place): void {
  parts.forEach(({ part, models: own }, index) => {
    const place = at.member(part);
    const before = parts.slice(0, index);
    const taken = [...others.flatMap(namesOf), ...before.map((other) => folded(other.part))];
    if (taken.includes(folded(part))) place.refuse('is the name of another line or part');
    if (!own.every((range) => all.some((outer) => outer[0] <= range[0] && range[1] <= outer[1]))) {
      place.refuse(`must be among the models of ${product} (cpuid.models), each range inside one of them`);
    }
    if (before.some((other) => overlap(own, other.models))) place.refuse('has a model of another part');
  });
}

function checkPins({ arkSpki }: AmdLine, others: readonly AmdLine[], at: Place): void {
  [...arkSpki].forEach((digest, index) => {
    const other = others.find((each) => each.arkSpki.has(digest));
    if (other !== undefined) at.member(index).refuse(`is the root key of ${other.product}`);
  });
}

function checkModels({ family, models: own }: AmdLine, others: readonly AmdLine[], at: Place): void {
  const other = others.find((each) => each.family === family && overlap(own, each.models));
  if (other !== undefined) at.refuse(`has a model of ${other.product}, which has the same family`);
}

function overlap(one: readonly Range[], other: readonly Range[]): boolean {
  return one.some(([low, high]) => other.some((range) => low <= range[1] && range[0] <= high));
}
