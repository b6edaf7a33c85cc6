import { Environment, type ObjectSchema, ParseError } from '@marcbachmann/cel-js';
import type { ClaimType, ObjectType } from './claim-type.js';
import { RULE_CLAIMS } from './claim-types.js';
import { type Claim, claimsIn, type Expression } from './expression.js';
import { readExpression } from './read-expression.js';
import { RuleFault } from './rule-fault.js';
import { syntaxHint } from './syntax-hint.js';

/**
 * Maximum size of a rule in bytes. It is checked first, because the limits of the parser do not hold for every text.
 */
const LONGEST_TEXT = 2048;

const LIMITS = { maxAstNodes: 512, maxDepth: 32, maxListElements: 256, maxMapEntries: 1, maxCallArguments: 4 };

/**
 * Parses and type-checks the text of a CEL rule. Does not check whether the rule makes sense for a policy.
 *
 * @throws {RuleFault} with the fault
 */
export function parseRule(text: string): Expression {
  const length = Buffer.byteLength(text, 'utf8');
  if (length > LONGEST_TEXT) throw new RuleFault('rule_limit', `has ${length} bytes, and may have ${LONGEST_TEXT}`);
  const parsed = parse(text, BASE);
  const { expression, untyped } = readExpression(parsed.ast);
  requireBool(untyped.length === 0 ? parsed : environmentOf(withUntyped(untyped, expression)).parse(text));
  return expression;
}

type Parsed = ReturnType<Environment['parse']>;

function parse(text: string, environment: Environment): Parsed {
  try {
    return environment.parse(text);
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    const code = cause.code === 'limit_exceeded' ? 'rule_limit' : 'rule_type';
    const { start } = cause.range ?? {};
    const place = start === undefined ? '' : ` at character ${start + 1}`;
    const hint = code === 'rule_type' && start !== undefined ? syntaxHint(text, start) : null;
    throw new RuleFault(code, `is not a CEL expression${place}: ${hint ?? lowerFirst(cause.summary)}`, { cause });
  }
}

function requireBool(parsed: Parsed): void {
  const { valid, type, error } = parsed.check();
  if (!valid) {
    // The checker names objects by their path, and marks it with a dollar sign.
    const summary = (error?.summary ?? 'unknown').replaceAll('$', '').replace(/^No such overload: /i, '');
    throw new RuleFault('rule_type', `the types do not fit: ${lowerFirst(summary)}`, { cause: error });
  }
  if (type !== 'bool')
    throw new RuleFault('rule_type', `is of type ${type?.replaceAll('$', '')}, and a rule is true or false`);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/**
 * Derives the declarations of the sections that a rule names, with the claims that only a literal gives a type.
 *
 * @throws {RuleFault} where two differ
 */
function withUntyped(untyped: readonly Claim[], rule: Expression): ReadonlyMap<string, ObjectSchema> {
  const named = new Set(claimsIn(rule).map(({ path: [section] }) => section));
  const schemas = declared([...RULE_CLAIMS].filter(([section]) => named.has(section)));
  for (const { path, type, text } of untyped) {
    const name = path.at(-1) ?? '';
    let below: ObjectSchema = Object.fromEntries(schemas);
    for (const step of path.slice(0, -1)) below = schemaMember(below, step);
    const spelling = type === 'double' ? type : spell(type);
    const earlier = Object.hasOwn(below, name) ? below[name] : spelling;
    if (earlier !== spelling) throw new RuleFault('rule_type', `${text} is compared as two types`);
    below[name] = spelling;
  }
  return schemas;
}

function schemaMember(schema: ObjectSchema, name: string): ObjectSchema {
  const below = schema[name];
  if (typeof below !== 'object') throw new TypeError(`${name} is no object of the declared claims`);
  return below;
}

function declared(sections: Iterable<readonly [string, ObjectType]>): Map<string, ObjectSchema> {
  return new Map([...sections].map(([section, type]) => [section, schemaOf(type)]));
}

function schemaOf({ members }: ObjectType): ObjectSchema {
  return Object.fromEntries([...members].map(([name, type]) => [name, spell(type)]));
}

/** A type as the type checker takes it. */
function spell(type: ClaimType): string | ObjectSchema {
  switch (type.kind) {
    case 'object':
      return schemaOf(type);
    case 'list':
      return `list<${type.item.kind}>`;
    default:
      return type.kind;
  }
}

function environmentOf(schemas: ReadonlyMap<string, ObjectSchema>): Environment {
  const environment = new Environment({ unlistedVariablesAreDyn: false, limits: LIMITS });
  for (const [name, schema] of schemas) environment.registerVariable({ name, schema });
  return environment;
}

const BASE = environmentOf(declared(RULE_CLAIMS));
