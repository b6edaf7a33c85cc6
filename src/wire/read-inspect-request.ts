import { parseStrictJson, type StrictJsonLimits } from '../formats/strict-json.js';
import type { Evidence } from '../model/evidence.js';
import { evidenceForm } from './evidence-form.js';
import { isJsonObject } from './json-object.js';
import { readEvidence } from './read-evidence.js';
import { checkSchema } from './schema-check.js';

/**
 * Reads an /inspect body, which is what /verify takes as `evidence`.
 *
 * @throws {FormatError} as `readVerifyRequest`, for the evidence alone
 */
export function readInspectRequest(body: Uint8Array, limits?: StrictJsonLimits): Evidence {
  const json = parseStrictJson(body, limits);
  const form = evidenceForm(json, '');
  return readEvidence(form, checkSchema(form, json), '');
}

/**
 * Reads a file for inspection: evidence, or a /verify body, whose evidence alone is looked at.
 *
 * @throws {FormatError} as `readInspectRequest`
 */
export function readInspectFile(file: Uint8Array): Evidence {
  const json = parseStrictJson(file);
  const evidence = isJsonObject(json) && json['type'] === undefined ? json['evidence'] : json;
  const form = evidenceForm(evidence, '');
  return readEvidence(form, checkSchema(form, evidence ?? null), '');
}
