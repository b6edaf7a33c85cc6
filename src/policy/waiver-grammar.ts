import { WAIVABLE_CHECKS } from '../model/checks/catalogue.js';
import { SNP_PARTS, type SnpPart } from '../model/claims.js';
import type { JsonValue } from '../model/json.js';
import { type TcbFloor, TDX_STATUSES, type Waiver } from './policy-members.js';
import { day, object, oneOf, optional, type Place, type Reader, refined, required, someText } from './readers.js';
import { tcbFloorOf } from './tcb-grammar.js';

const asItIs: Reader<JsonValue | undefined> = (value) => value;

const readMembers = object({
  check: required(oneOf(WAIVABLE_CHECKS)),
  value: optional(asItIs, undefined),
  reason: required(someText),
  approver: required(someText),
  expires: required(day),
});

const readFloorMembers = object({ part: required(oneOf(SNP_PARTS)), floor: required(asItIs) });

/** A waiver. Which value goes with it is the check's affair. */
export const readWaiver: Reader<Waiver> = refined(readMembers, (members, at): Waiver | undefined => {
  const { check, value: untypedValue, ...terms } = members;
  const place = at.member('value');
  if (check === 'snp_tcb_low') {
    const floor = readPartFloor(untypedValue, place);
    return floor && { ...terms, check, value: floor };
  }
  if (check === 'tdx_tcb_status' || check === 'maa_tcb_status') {
    const status = oneOf(TDX_STATUSES)(untypedValue ?? null, place);
    return status && { ...terms, check, value: status };
  }
  return untypedValue === undefined ? { ...terms, check, value: null } : place.refuse('this check takes no value');
});

function readPartFloor(
  value: JsonValue | undefined,
  at: Place,
): { readonly part: SnpPart; readonly floor: TcbFloor } | undefined {
  const members = readFloorMembers(value ?? null, at);
  if (members?.floor === undefined) return undefined;
  const floor = tcbFloorOf(members.part)(members.floor, at.member('floor'));
  return floor && { part: members.part, floor };
}
