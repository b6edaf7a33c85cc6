import type { StrictJsonLimits } from '../formats/strict-json.js';
import { FormatError } from '../model/errors.js';
import type { Evidence } from '../model/evidence.js';
import { isObject } from '../model/json.js';
import { trusteeHint } from './dialects/trustee.js';
import { evidenceForm } from './evidence-form.js';
import { readBody } from './read-body.js';
import { readEvidence } from './read-evidence.js';
import { refusePrivateKey } from './read-public-jwk.js';
import { checkSchema, checkVerifyRequest } from './schema-check.js';
import { missingOr } from './schema-message.js';

/**
 * Reads an /inspect body: what /verify takes as `evidence`, or a whole /verify body, whose evidence alone is looked at.
 * Of the others only the schema is checked: what they say, and whether they are allowed, is no matter here.
 *
 * @throws {FormatError} as `readVerifyRequest`
 */
export function readInspectRequest(body: Uint8Array, limits?: StrictJsonLimits): Evidence {
  const json = readBody(body, limits);
  if (!isObject(json)) throw new FormatError('schema', missingOr(json, 'an object'), { pointer: '' });
  if (json['evidence'] !== undefined) {
    refusePrivateKey(json['binding']);
    const form = evidenceForm(json['evidence'], '/evidence');
    return readEvidence(form, checkVerifyRequest(form, json).evidence, '/evidence');
  }
  if (json['type'] === undefined) {
    const message = 'neither evidence, which has the member type, nor a /verify body, which has the member evidence';
    throw new FormatError('schema', trusteeHint(json) ?? message, { pointer: '' });
  }
  const form = evidenceForm(json, '');
  return readEvidence(form, checkSchema(form, json), '');
}
