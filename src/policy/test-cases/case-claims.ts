import type { Claims } from '../../core/claims.js';
import { isObject, type JsonObject, type JsonValue, jsonPointer } from '../../core/json.js';
import { type Path, Place } from '../../schema/schema.js';
import { readGivenClaims } from '../document/given-claims.js';
import { PolicyError, type PolicyProblem, schemaProblem } from '../document/policy-problem.js';
import type { ClaimChange, ClaimsInput } from './case-document.js';
import { withClaim } from './claim-path.js';

/** The claims of a case, and their place in the test. */
export interface CaseClaims extends Pick<ClaimsInput, 'changes'> {
  /** The claims in the test, or in the file that it names: claims, or a whole answer. */
  readonly given: JsonValue;
  /** Path of the case in the test. */
  readonly path: Path;
  /** Name of the file with the claims; null for the test itself. */
  readonly file: string | null;
}

/**
 * Reads the claims of a case, and applies the changes of the test. Each change is read separately, so that each error
 * has its place.
 *
 * @throws {PolicyError} with every error, at its place in the test
 */
export function readCaseClaims({ given, changes, path, file }: CaseClaims): Claims {
  const { sections, below } = givenSections(given);
  const { claims, problems } = readGivenClaims(sections);
  if (claims === null) {
    const place = [...path, 'claims'];
    throw new PolicyError(
      problems.map(({ path: inside, what }) =>
        file === null
          ? schemaProblem(jsonPointer([...place, ...below, ...inside]), what)
          : schemaProblem(jsonPointer(place), `${file}: ${jsonPointer([...below, ...inside]) || 'document'}: ${what}`),
      ),
    );
  }
  return changes.length === 0 || !isObject(sections) ? claims : changed(sections, changes, path);
}

/** A whole answer has its claims in a member with this name. No section of claims has it. */
function givenSections(given: JsonValue): { readonly sections: JsonValue; readonly below: Path } {
  const ofAnswer = isObject(given) ? given['claims'] : undefined;
  return ofAnswer === undefined ? { sections: given, below: [] } : { sections: ofAnswer, below: ['claims'] };
}

function changed(sections: JsonObject, changes: readonly ClaimChange[], path: Path): Claims {
  const problems: PolicyProblem[] = [];
  let current = sections;
  for (const { text, path: claim, value } of changes) {
    const place = new Place();
    const next = withClaim(current, claim, value, place);
    if (next !== undefined) place.problems.push(...readGivenClaims(next).problems);
    problems.push(...place.problems.map(({ what }) => schemaProblem(jsonPointer([...path, 'set', text]), what)));
    if (next !== undefined && place.problems.length === 0) current = next;
  }
  const { claims } = readGivenClaims(current);
  if (problems.length > 0 || claims === null) throw new PolicyError(problems);
  return claims;
}
