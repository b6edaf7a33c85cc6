import { Document, isScalar, isSeq, type Node, parseDocument, Scalar, visit, YAMLSeq } from 'yaml';
import type { EvidenceType } from '../../core/evidence.js';
import type { JsonObject, JsonValue } from '../../core/json.js';
import { type Combination, type SetMember, writtenSet } from './combination.js';
import { headerLines, type LearnedHeader } from './learned-header.js';

/** A piece of evidence with learned values. */
export interface Source {
  /** Name of the file, as the user typed it. */
  readonly name: string;
  /** `evidence.sha256` of the decision. */
  readonly sha256: string;
  readonly type: EvidenceType;
  /** The verification time. */
  readonly at: Date;
}

/** A set to write, and the evidence that it comes from. */
export interface SourcedSet {
  readonly combination: Combination;
  readonly sources: readonly Source[];
}

/** The content to write. Sets of the previous text stay unchanged, with their comments. */
export interface LearnedContent {
  readonly header: LearnedHeader;
  readonly members: JsonObject;
  /** The existing text, and the evidence that matched again, by the index of a set; null for a new policy. */
  readonly before: { readonly text: string; readonly seenAgain: ReadonlyMap<number, readonly Source[]> } | null;
  readonly added: readonly SourcedSet[];
  /** Id of the policy that the evidence was appraised under. Values that are not learned come from it. */
  readonly from: string;
}

/** The test of a policy: its file, and the cases. */
export type WrittenTest = { readonly policy: string; readonly cases: readonly JsonValue[] };

/** Lines are not folded: a value and its comment stay on one line. */
const STYLE = { lineWidth: 0, flowCollectionPadding: false } as const;

/** Anchors and aliases do not load. */
const PLAIN = { aliasDuplicateObjects: false } as const;

/** Longer lists get one line per item. */
const FLOW_ITEMS = 8;

/** Returns a learned policy as text, with the source and date of each value. */
export function writeLearned({ header, members, before, added, from }: LearnedContent): string {
  const document = new Document(members, PLAIN);
  visit(document, {
    Seq: (_, list) => {
      list.flow = list.items.length <= FLOW_ITEMS && list.items.every(isScalar);
    },
  });
  const sets = before === null ? new YAMLSeq<Node>() : nodesOf(before.text, 'referenceValues');
  for (const [index, set] of sets.items.entries()) {
    const seenAgain = before?.seenAgain.get(index) ?? [];
    if (seenAgain.length > 0) set.commentBefore = joinedLines(set.commentBefore, ...seenAgain.map(sourceLine));
  }
  for (const set of added) sets.items.push(setNode(document, set, from));
  document.set('referenceValues', sets);
  document.commentBefore = headerLines(header).map(comment).join('\n');
  return document.toString(STYLE);
}

/** Returns a test as text, with a comment at its head. Kept cases come last. */
export function writeTest(lines: readonly string[], test: WrittenTest, kept: readonly Node[]): string {
  const document = new Document(test, PLAIN);
  for (const each of kept) document.addIn(['cases'], each);
  document.commentBefore = lines.map(comment).join('\n');
  return document.toString(STYLE);
}

/** Whether the text names a piece of evidence as a source of its set. */
export function hasSource(text: string, index: number, { sha256 }: Pick<Source, 'sha256'>): boolean {
  return nodesOf(text, 'referenceValues').items[index]?.commentBefore?.includes(shortDigest(sha256)) === true;
}

/**
 * Returns the items of a list in a text, with their comments. The parser attaches the first comment to the list: it
 * belongs to the first item.
 */
export function nodesOf(text: string, member: 'referenceValues' | 'cases'): YAMLSeq<Node> {
  const list = parseDocument(text).get(member, true);
  if (!isSeq<Node>(list)) return new YAMLSeq<Node>();
  // An item that is added to a list in brackets would also go into the brackets.
  list.flow = false;
  const [first] = list.items;
  if (first !== undefined && list.commentBefore != null) {
    first.commentBefore = joinedLines(list.commentBefore, first.commentBefore);
    list.commentBefore = null;
  }
  return list;
}

function setNode(document: Document, { combination, sources }: SourcedSet, from: string): Node {
  const node = document.createNode(writtenSet(combination), PLAIN);
  const members = new Map(combination.members.map((member) => [member.path, member]));
  visit(node, {
    Scalar: (place, scalar, path) => {
      const names = path.flatMap((step) => ('key' in step && isScalar(step.key) ? [String(step.key.value)] : []));
      const member = members.get(names.join('.'));
      // A name is a scalar too; only a value stands at a number.
      if (member !== undefined && typeof place === 'number') annotate(scalar, member, sources, from);
    },
  });
  node.commentBefore = sources.map(sourceLine).join('\n');
  return node;
}

function annotate(item: Scalar, { of }: SetMember, sources: readonly Source[], from: string): void {
  // Hex of digits alone would be a number.
  if (typeof item.value === 'string') item.type = Scalar.QUOTE_DOUBLE;
  item.comment = of === 'policy' ? comment(`of policy ${from}`) : valueComment(sources);
}

/** Names the first source, and counts the others. */
function valueComment(sources: readonly Source[]): string {
  const [first, ...others] = sources.map(
    ({ name, sha256, at }) => `${shownName(name)} (${shortDigest(sha256)}), ${at.toISOString().slice(0, 10)}`,
  );
  return comment([first, ...(others.length === 0 ? [] : [`and ${others.length} more`])].join(' '));
}

function sourceLine({ name, sha256, type, at }: Source): string {
  return comment(`${shownName(name)}, ${type} evidence ${shortDigest(sha256)}, allowed at ${at.toISOString()}`);
}

function joinedLines(...lines: readonly (string | null | undefined)[]): string {
  return lines.filter((line) => line != null && line !== '').join('\n');
}

function comment(line: string): string {
  return ` ${line}`;
}

/** Tells pieces of evidence apart, for people. */
const DIGEST_LETTERS = 12;

function shortDigest(sha256: string): string {
  return sha256.slice(0, DIGEST_LETTERS);
}

const NAME_LENGTH = 120;

/** The maker of the file chose its name: in a comment it must not end the line, nor turn it. */
export function shownName(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd').slice(0, NAME_LENGTH);
}
