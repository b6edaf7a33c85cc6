import { isObject, type JsonObject, type JsonValue } from '../../../core/json.js';

export type Shape = 'number' | 'boolean' | 'string' | 'object' | 'strings' | 'any';

/** Claims about a TD that Azure Attestation and Trust Authority write with the same names and types. */
export const TDX_SHAPES: readonly (readonly [string, Shape])[] = [
  ['attester_tcb_status', 'string'],
  ['tdx_mrconfigid', 'string'],
  ['tdx_mrowner', 'string'],
  ['tdx_mrownerconfig', 'string'],
  ['tdx_mrseam', 'string'],
  ['tdx_mrsignerseam', 'string'],
  ['tdx_mrtd', 'string'],
  ['tdx_report_data', 'string'],
  ['tdx_rtmr0', 'string'],
  ['tdx_rtmr1', 'string'],
  ['tdx_rtmr2', 'string'],
  ['tdx_rtmr3', 'string'],
  ['tdx_seam_attributes', 'string'],
  ['tdx_seamsvn', 'number'],
  ['tdx_td_attributes', 'string'],
  ['tdx_tee_tcb_svn', 'string'],
  ['tdx_xfam', 'string'],
];

/** Describes the first claim of a wrong type; null if there is none. */
export function shapeProblem(claims: JsonObject, shapes: ReadonlyMap<string, Shape>): string | null {
  const wrong = Object.entries(claims).find(([name, value]) => !hasShape(value, shapes.get(name) ?? 'any'));
  return wrong === undefined ? null : `${wrong[0]} has the wrong type`;
}

function hasShape(value: JsonValue, shape: Shape): boolean {
  if (shape === 'any') return true;
  if (shape === 'object') return isObject(value);
  // Trust Authority writes an empty list as null.
  if (shape === 'strings') return value === null || isListOf(value, (element) => typeof element === 'string');
  return typeof value === shape;
}

export function isListOf(value: JsonValue, holds: (element: JsonValue) => boolean): value is readonly JsonValue[] {
  return Array.isArray(value) && value.every(holds);
}
