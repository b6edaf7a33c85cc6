import { FormatError, UnfitError } from '../../model/errors.js';
import type { CollateralReader } from '../../vendors/intel/collateral.js';
import { parseCollateralFile } from '../../vendors/intel/collateral-file.js';
import type { MaterialFiles, NamedFile, RefusedFile } from '../files/material-files.js';
import { type IntelCollateral, readIntelCollateral } from './intel-collateral.js';

/** Collateral of a file. */
export interface CollateralOfFile {
  readonly name: string;
  readonly collateral: IntelCollateral;
}

/** Collateral of a set of files, and what was not taken. */
export interface RecognisedCollateral {
  readonly taken: readonly CollateralOfFile[];
  readonly refused: readonly RefusedFile[];
}

/** Recognises collateral by content: names of files mean nothing. What does not verify is refused with a reason. */
export function recogniseCollateral({ files, refused }: MaterialFiles, reader: CollateralReader): RecognisedCollateral {
  const read = files.map((file) => readFile(file, reader));
  return {
    taken: read.flatMap((result) => ('collateral' in result ? [result] : [])),
    refused: [...refused, ...read.flatMap((result) => ('why' in result ? [result] : []))],
  };
}

function readFile({ name, bytes }: NamedFile, reader: CollateralReader): CollateralOfFile | RefusedFile {
  try {
    return { name, collateral: readIntelCollateral(reader, parseCollateralFile(bytes)) };
  } catch (error) {
    if (!(error instanceof UnfitError) && !(error instanceof FormatError)) throw error;
    return { name, why: error.message };
  }
}
