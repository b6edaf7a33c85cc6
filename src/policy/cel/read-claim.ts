import { type ASTNode, serialize } from '@marcbachmann/cel-js';
import { camelCase, PROTOTYPE_NAMES } from '../../core/json.js';
import { listedNames, meantName, meantOr, quotedName } from '../../core/names-in-messages.js';
import type { ClaimType, ObjectType, OtherMembers } from './claim-type.js';
import { RULE_CLAIMS } from './claim-types.js';
import type { Claim, Expression, Literal } from './expression.js';
import { RuleFault } from './rule-fault.js';

/** One step from a claim to a member of it: `.name`, or `["name"]`. */
interface Step {
  readonly name: string;
  readonly isIndex: boolean;
}

/** Returns the names of an access that begins at a section; null if it begins elsewhere, or an index is not a text. */
export function stepsOf(node: ASTNode): readonly Step[] | null {
  if (node.op === 'id') return [{ name: node.args, isIndex: false }];
  if (node.op !== '.' && node.op !== '[]') return null;
  const [of, member] = node.args;
  const before = stepsOf(of);
  const name = typeof member === 'string' ? member : member.op === 'value' ? member.args : null;
  if (before === null || typeof name !== 'string') return null;
  return [...before, { name, isIndex: node.op === '[]' }];
}

/** Returns the claim that an access names. @throws {RuleFault} if there is no such claim */
export function readClaim(node: ASTNode, steps: readonly Step[]): Claim {
  const found = follow(steps);
  if (found.unknown === null) return claim(node, steps, found.type);
  const { name } = found.unknown;
  if (found.of.others === null) throw unknownMember(found.path, name, [...found.of.members.keys()]);
  requireNameable(found, found.of.others);
  const isLast = found.unknown === steps.at(-1);
  const what = isLast
    ? `such a claim can only be compared as ${found.path}["name"] == literal`
    : 'what is in it cannot be named';
  const meant = meantName(name, [...found.of.members.keys()]);
  const hint = meant === null ? '' : `; did you mean ${memberPath(found.path, meant)}?`;
  throw new RuleFault(
    'rule_type',
    `${found.path} has no claim ${quotedName(name)} whose type is known: ${what}${hint}`,
  );
}

/**
 * Returns the claim of `claims["name"] == literal` if that claim is not declared: the literal gives its type. Null if
 * the access has another form, or the claim is declared.
 */
export function readUntypedClaim(node: ASTNode, literal: Expression): Claim | null {
  const steps = stepsOf(node);
  if (steps === null || literal.op !== 'literal') return null;
  const found = follow(steps);
  const isLast = found.unknown !== null && found.unknown === steps.at(-1);
  if (!isLast || found.of.others === null || !found.unknown.isIndex) return null;
  requireNameable(found, found.of.others);
  const type = literalClaimType(literal);
  const { type: only } = found.of.others;
  if (only !== null && (type === 'double' || type.kind !== only.kind)) {
    throw new RuleFault('rule_type', `${serialize(node)} is of type ${only.kind}, as all of ${found.path} is`);
  }
  return claim(node, steps, type);
}

/** Refuses a name that no claim can have there, and names the likely one. */
function requireNameable({ unknown: { name }, of, path }: Unknown, { spelling, notOfRules }: OtherMembers): void {
  if (PROTOTYPE_NAMES.has(name)) throw new RuleFault('rule_type', `no claim is named ${quotedName(name)}`);
  const instead = notOfRules.get(name);
  if (instead !== undefined) {
    throw new RuleFault('rule_type', `${memberPath(path, name)} is no claim of rules; ${instead}`);
  }
  const written = [...of.members.keys()].find((known) => camelCase(known) === camelCase(name)) ?? spelling(name);
  if (written !== name) {
    const meant = memberPath(path, written);
    throw new RuleFault('rule_type', `${path} has no claim ${quotedName(name)}; did you mean ${meant}?`);
  }
}

function literalClaimType({ type }: Literal): Claim['type'] {
  return type === 'double' ? type : { kind: type, form: null };
}

/** A claim in the syntax of rules. */
export function memberPath(path: string, name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}["${name}"]`;
}

function claim(node: ASTNode, steps: readonly Step[], type: Claim['type']): Claim {
  return { op: 'claim', text: serialize(node), path: steps.map(({ name }) => name), type };
}

type Followed = { readonly unknown: null; readonly type: ClaimType } | Unknown;

/** Returns the first name that is not declared, and the object that lacks it. */
interface Unknown {
  readonly unknown: Step;
  readonly of: ObjectType;
  readonly path: string;
}

/** Follows a path from a section, as far as its members are declared. */
function follow([section, ...members]: readonly Step[]): Followed {
  const name = section?.name ?? '';
  let type: ClaimType | undefined = RULE_CLAIMS.get(name);
  if (type === undefined) {
    throw new RuleFault('rule_type', `there are no claims of ${quotedName(name)}; ${insteadOf(name, members)}`);
  }
  let path = name;
  for (const step of members) {
    if (type.kind !== 'object') throw new RuleFault('rule_type', `${path} is of type ${type.kind}, and has no members`);
    const below: ClaimType | undefined = type.members.get(step.name);
    if (below === undefined) return { unknown: step, of: type, path };
    path = step.isIndex ? `${path}["${step.name}"]` : `${path}.${step.name}`;
    type = below;
  }
  return { unknown: null, type };
}

function unknownMember(path: string, name: string, known: readonly string[]): RuleFault {
  const instead = meantOr(name, known, `there are ${listedNames(known)}`);
  return new RuleFault('rule_type', `${path} has no claim ${quotedName(name)}; ${instead}`);
}

const BOOLEANS = ['true', 'false'];

/** The hint for the name of an unknown section. */
function insteadOf(name: string, members: readonly Step[]): string {
  const known = [...RULE_CLAIMS.keys()];
  if (BOOLEANS.includes(name.toLowerCase())) return `did you mean ${name.toLowerCase()}?`;
  return meantOr(
    name,
    known,
    `there are ${listedNames(known)}${members.length === 0 ? '; a text stands in quotes' : ''}`,
  );
}
