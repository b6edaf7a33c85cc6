import type { StrictJsonLimits } from '../formats/strict-json.js';
import type { Evidence } from '../model/evidence.js';
import type { JsonValue } from '../model/json.js';
import { evidenceForm } from './evidence-form.js';
import { isJsonObject } from './json-object.js';
import { readBody } from './read-body.js';
import { readEvidence } from './read-evidence.js';
import { checkSchema } from './schema-check.js';

/**
 * Reads an /inspect body, which is what /verify takes as `evidence`.
 *
 * @throws {FormatError} as `readVerifyRequest`, for the evidence alone
 */
export function readInspectRequest(body: Uint8Array, limits?: StrictJsonLimits): Evidence {
  return readEvidenceAt('', readBody(body, limits));
}

/**
 * Reads a file for inspection: evidence, or a /verify body, whose evidence alone is looked at.
 *
 * @throws {FormatError} as `readInspectRequest`
 */
export function readInspectFile(file: Uint8Array): Evidence {
  const json = readBody(file);
  const isBody = isJsonObject(json) && json['type'] === undefined;
  return isBody ? readEvidenceAt('/evidence', json['evidence']) : readEvidenceAt('', json);
}

function readEvidenceAt(pointer: string, json: JsonValue | undefined): Evidence {
  const form = evidenceForm(json, pointer);
  return readEvidence(form, checkSchema(form, json ?? null, pointer), pointer);
}
