import type { JsonObject, JsonValue } from '../../core/json.js';
import type { Place, Schema } from '../../schema/schema.js';
import { refined } from '../../schema/schema.js';
import { textThat } from '../../schema/values.js';
import { canonicalNumber } from './compare-values.js';
import { refuseUnknown } from './member-names.js';
import { type ClaimCondition, OPERATORS, type Operator, type ReleaseValue } from './policy-tree.js';

const NAMES = /^[^\s.]+(?:\.[^\s.]+)*$/;
/** Matches an index in brackets, or a name that consists of digits. */
const INDEX = /[[\]]|(?:^|\.)\d+(?:\.|$)/;

const path: Schema<string> = refined(
  textThat((raw) => NAMES.test(raw), 'names of claims with dots between, such as x-ms-isolation-tee.x-ms-runtime'),
  (text, at) => (INDEX.test(text) ? at.refuse('leads into a list, which a release policy cannot') : text),
);

/** Reads a claim condition. */
export function readClaimCondition(given: JsonObject, pointer: string, at: Place): ClaimCondition | undefined {
  if (isObsolete(given)) return at.refuse(obsolete(given['condition']));
  return at.unlessRefused(() => {
    const unknown = refuseUnknown(given, ['claim', ...OPERATORS], at);
    const claim = path.read(given['claim'], at.member('claim'));
    const operator = readOperator(given, unknown, at);
    if (claim === undefined || operator === undefined) return undefined;
    const value = readValue(operator, given[operator] ?? null, at.member(operator));
    return value === undefined ? undefined : { kind: 'claim', pointer, claim, operator, value };
  });
}

function isObsolete(given: JsonObject): boolean {
  return Object.hasOwn(given, 'condition') || Object.hasOwn(given, 'value');
}

function obsolete(condition: JsonValue | undefined): string {
  const operator = OPERATORS.find((each) => each === condition) ?? 'equals';
  return `has the form of the preview of 2021 (claim, condition, value): write { "claim": …, "${operator}": … }`;
}

function readOperator(given: JsonObject, unknown: number, at: Place): Operator | undefined {
  const present = OPERATORS.filter((operator) => Object.hasOwn(given, operator));
  const [operator] = present;
  if (present.length > 1) {
    return at.refuse(`has ${present.join(' and ')}: write one condition for each operator, both within allOf`);
  }
  // An unknown member was already rejected. It may be the misspelt operator.
  if (operator === undefined && unknown === 0) return at.refuse(`needs one operator: ${OPERATORS.join(', ')}`);
  return operator;
}

function readValue(operator: Operator, raw: JsonValue, at: Place): ReleaseValue | undefined {
  switch (operator) {
    case 'equals':
    case 'notEquals':
      return isReleaseValue(raw) ? raw : at.refuse('must be text, a number, true or false');
    case 'exists':
      // Also as strings, because Microsoft's grammar prints them in quotes.
      return raw === true || raw === false || raw === 'true' || raw === 'false'
        ? raw
        : at.refuse('must be true or false');
    default:
      return isFiniteNumber(raw) ? raw : at.refuse(`must be a number${isQuotedNumber(raw) ? ', without quotes' : ''}`);
  }
}

function isReleaseValue(raw: JsonValue): raw is ReleaseValue {
  return typeof raw === 'string' || typeof raw === 'boolean' || isFiniteNumber(raw);
}

function isFiniteNumber(raw: JsonValue): raw is number {
  return typeof raw === 'number' && Number.isFinite(raw);
}

function isQuotedNumber(raw: JsonValue): boolean {
  return typeof raw === 'string' && canonicalNumber(raw) !== null;
}
