import type { KeptInputs, LogStore } from '../../../src/core/decision-log.js';
import type { JsonValue } from '../../../src/core/json.js';
import { canonicalJson } from '../../../src/formats/canonical-json.js';
import { INPUTS_VERSION } from '../../../src/log/kept-names.js';
import { encodeValue, KeptBytes } from '../../../src/log/kept-values.js';
import { judged, openLog } from './recorded.js';

/** What all decisions rest on: a CRL, and a root of the configuration. */
export const CRL = Buffer.from('a CRL');
export const ROOT = Buffer.from('a root');

/** Kept objects of so many decisions: CRL, root and configuration are shared, request and inputs are not. */
export const objectsOfDecisions = (decisions: number) => 3 + 2 * decisions;

/** What a decision rests on, in the form in which a service keeps it. */
export function keptInputs(body: string): KeptInputs & { readonly configuration: string } {
  const bytes = new KeptBytes();
  const text = (value: JsonValue) => bytes.add(Buffer.from(canonicalJson(value)));
  const configuration = text(encodeValue({ roots: new Map([['Milan', ROOT]]) }, bytes));
  const inputs = encodeValue({ body: Buffer.from(body), answers: [{ what: 'crl', answer: CRL }] }, bytes);
  const sha256 = text({ v: INPUTS_VERSION, inputs, configuration });
  return { sha256, objects: bytes.objects, configuration };
}

/** A log of decisions with all that they rest on, in one chain that begins with a start. */
export async function keepingLog<S extends LogStore>(
  store: S,
  decisions = 3,
  decidedAt = new Date('2026-01-15T12:00:00Z'),
) {
  const { log, chain, clock } = await openLog(store);
  const ids: string[] = [];
  const inputs: ReturnType<typeof keptInputs>[] = [];
  for (let count = 0; count < decisions; count++) {
    const each = judged({ decidedAt });
    ids.push(each.decision.decisionId);
    inputs.push(keptInputs(`{"request":"${each.decision.decisionId}"}`));
    await log.record({ ...each, inputs: inputs[count] as KeptInputs });
  }
  return { store, log, chain, clock, ids, inputs };
}
