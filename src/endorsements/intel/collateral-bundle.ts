import { join } from 'node:path';
import { hex } from '../../core/bytes.js';
import type { FetchContext, Unavailable } from '../../core/endorsement.js';
import type { TdxCollateral } from '../../core/evidence.js';
import { sha256 } from '../../crypto/digest.js';
import { writeAtomically } from '../../files/whole-files.js';
import { encodeCollateralFile } from '../../tee/tdx/intel/collateral-file.js';
import {
  type CollateralKey,
  collateralOf,
  type IntelCollateral,
  isCurrent,
  isFromAfter,
  keyName,
  windowOfAll,
  withNewestShared,
} from '../../tee/tdx/intel/collateral-parts.js';
import type { ExportedBundle, ImportReport, NamedFile, RefusedFile, TakenFile } from '../files/material-files.js';
import { COLLATERAL_FILES, readBundle } from '../files/material-files.js';
import { type CollateralOfFile, recogniseCollateral } from './collateral-directory.js';
import { type CollateralMemory, isBehind, isUnknown } from './collateral-memory.js';
import type { TdxCollateralSource } from './intel-endorsements.js';
import type { IntelParts } from './intel-parts.js';

/** Collects a bundle from folder, cache and services. */
export async function exportCollateral(
  source: TdxCollateralSource,
  keys: readonly CollateralKey[],
  context: FetchContext,
): Promise<ExportedBundle> {
  const files: NamedFile[] = [];
  const missing: Unavailable[] = [];
  for (const [name, { fmspc, ca }] of new Map(keys.map((key) => [keyName(key), key]))) {
    const found = await source.find({ kind: 'intel-tdx', fmspc, ca, supplied: null }, context);
    if ('code' in found) missing.push({ ...found, detail: `${name}: ${found.detail}` });
    else files.push(fileOf({ fmspc, ca }, found.value));
  }
  return { files, missing };
}

interface ImportParts extends Pick<IntelParts, 'reader' | 'directory' | 'memory'> {
  /** The operator's folder, the target of the import. */
  readonly folder: string;
}

/**
 * Verifies a bundle and copies valid sets into the operator's folder, each with the newest CRLs and QE
 * identity of bundle or folder. Collateral must be current, and not older than earlier imports.
 *
 * @param path folder of the bundle
 * @throws {ConfigurationError} if the folder does not exist
 * @throws {Error} if a folder cannot be read or written
 */
export async function importCollateral(parts: ImportParts, path: string, now: Date): Promise<ImportReport> {
  const { reader, directory, memory, folder } = parts;
  const recognised = recogniseCollateral(await readBundle(path, COLLATERAL_FILES), reader);
  const taken: TakenFile[] = [];
  const refused: RefusedFile[] = [...recognised.refused];
  const atHand = [...recognised.taken.map(({ collateral }) => collateral), ...directory.all()];
  for (const { name, collateral: found } of newestFirst(recognised.taken)) {
    const collateral = withNewestShared(found, atHand, now);
    const why = await importRefusal(collateral, memory, now);
    if (why !== null) {
      refused.push({ name, why });
      continue;
    }
    const file = fileOf(collateral, collateralOf(collateral));
    await writeAtomically(join(folder, file.name), file.bytes, 'everybody');
    await memory.advance(collateral, 'store');
    taken.push({ name, what: describe(collateral), keptAs: file.name });
  }
  await directory.refresh();
  return { taken, refused };
}

/** Sorts the newest first, so that older collateral in the same bundle is rejected, whatever its file name. */
function newestFirst(found: readonly CollateralOfFile[]): readonly CollateralOfFile[] {
  return [...found].sort(
    ({ collateral: a }, { collateral: b }) =>
      Number(b.tcbInfo.number - a.tcbInfo.number) || Number(b.qeIdentity.number - a.qeIdentity.number),
  );
}

async function importRefusal(collateral: IntelCollateral, memory: CollateralMemory, now: Date): Promise<string | null> {
  if (isFromAfter(collateral, now)) return 'it is from the future';
  if (!isCurrent(collateral, now)) return 'it is past its next update';
  const { highest: marks } = await memory.marksOf(collateral, 'store');
  if (!isBehind(collateral, marks)) return null;
  return isUnknown(marks)
    ? 'whether it is older than what was imported before is not known: a rollback mark is damaged'
    : 'it is older than what was imported before';
}

/** Names are for operators: the parser recognises content. Different collateral never gets one name. */
function fileOf(key: CollateralKey, collateral: TdxCollateral): NamedFile {
  const bytes = Buffer.from(encodeCollateralFile(collateral), 'utf8');
  return { name: `tdx-${keyName(key)}-${hex(sha256(bytes)).slice(0, 16)}.json`, bytes };
}

function describe(collateral: IntelCollateral): string {
  const { fmspc, ca, tcbInfo, qeIdentity } = collateral;
  const evaluation =
    tcbInfo.number === qeIdentity.number ? `${tcbInfo.number}` : `${tcbInfo.number} (QE identity ${qeIdentity.number})`;
  const until = windowOfAll(collateral).until.toISOString();
  return `TDX collateral of FMSPC ${fmspc}, ${ca} CA, evaluation ${evaluation}, until ${until}`;
}
