import { CollectError } from '../collector/collect-error.js';
import { requestBody, tokenEvidence } from '../collector/evidence-body.js';
import { type EvidenceContents, type RawFile, readEvidenceFolder } from '../collector/evidence-files.js';
import { type Recogniser, recogniseFiles } from '../collector/recognise-files.js';
import { DECIDING, evidenceOf } from '../collector/request-files.js';
import type { StructureKind } from '../core/evidence.js';
import type { JsonObject } from '../core/json.js';
import { isMeantAsJson, type NamedInput, readingInput, UsageError } from './input.js';

/** The recogniser of raw files, and the output for its notes. */
export interface Recognition extends Recogniser {
  readonly warn: (message: string) => void;
}

/**
 * Runs a function that reads or collects evidence. Scripts read the code of its error, operators the remedy.
 * @throws {UsageError} for a CollectError
 */
export async function sayingRemedies<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    throw new UsageError([`${error.code}: ${error.message}`, error.remedy], { cause: error });
  }
}

/**
 * Reads the files of a folder and assigns them to the parts of evidence.
 * @throws {CollectError} `evidence_files`
 */
export async function recogniseFolder(folder: string, recognition: Recognition): Promise<EvidenceContents> {
  const { files, notes } = await readEvidenceFolder(folder);
  notes.forEach(recognition.warn);
  return recognised(files, recognition);
}

/** @returns a /verify body with the evidence of a folder, without a nonce */
export function bodyOfFolder(folder: string, recognition: Recognition): Promise<NamedInput> {
  return sayingRemedies(async () => bodyOf(folder, evidenceOf(await recogniseFolder(folder, recognition), null)));
}

/**
 * Turns a raw file into a /verify body, without a nonce. A body stays as it is, and so does a file that is not recognised.
 *
 * @param vek the VCEK or VLEK beside a report; null if none was named
 * @throws {UsageError} if the file is no complete evidence, or if a VEK is named beside a body
 */
export async function bodyOfFile(
  file: NamedInput,
  vek: NamedInput | null,
  recognition: Recognition,
): Promise<NamedInput> {
  const isBody = isMeantAsJson(file.bytes);
  if (isBody && vek !== null)
    throw new UsageError(['--vek: goes with a report as it is; a body names it in endorsements.vek']);
  const kinds = isBody ? [] : recognition.recognise(file.bytes);
  if (kinds.length === 0) {
    const remark = isBody ? null : recognition.remark(file.bytes);
    if (remark !== null) throw new UsageError([`${file.name}: ${remark}`]);
    return file;
  }
  if (kinds.includes('token'))
    return bodyOf(
      file.name,
      readingInput(file, () => tokenEvidence(file.bytes)),
    );
  const named = vek === null ? [file] : [file, vek];
  if (vek !== null && !named.some((each) => recogniseFiles([each], recognition).contents.has('vek'))) {
    throw new UsageError([`--vek: ${vek.name}: ${recognition.remark(vek.bytes) ?? 'is no VCEK or VLEK'}`]);
  }
  return sayingRemedies(async () => {
    const contents = recognised(named, recognition);
    if (!DECIDING.some((key) => contents.has(key))) throw partAlone(file.name, kinds, recognition);
    return bodyOf(file.name, evidenceOf(contents, null));
  });
}

function partAlone(name: string, kinds: readonly StructureKind[], { nameOf }: Recognition): UsageError {
  return new UsageError([
    `${name}: is ${kinds.map(nameOf).join(' or ')}, and no evidence without the report or quote that it belongs to`,
    `put both into a folder, and name the folder; veritee inspect ${name} shows what it says`,
  ]);
}

function recognised(files: readonly RawFile[], recognition: Recognition): EvidenceContents {
  const { contents, notes } = recogniseFiles(files, recognition);
  notes.forEach(recognition.warn);
  return contents;
}

function bodyOf(name: string, evidence: JsonObject): NamedInput {
  return { name, bytes: Buffer.from(requestBody(evidence, null, null)) };
}
