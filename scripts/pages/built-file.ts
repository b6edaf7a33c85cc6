import { createHash } from 'node:crypto';

/** A file that the service serves. */
export interface BuiltFile {
  /** Path of its URL. */
  readonly path: string;
  /** Its name in the folder of the pages. */
  readonly file: string;
  readonly content: Uint8Array;
  /** Whether its name changes with its content, so that browsers may keep it. */
  readonly lasting: boolean;
  /** The page that it belongs to: `inspector: false` leaves out the inspector. */
  readonly part: 'inspector' | 'docs';
}

export const text = (content: string): Uint8Array => Buffer.from(content, 'utf8');
export const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
/** Stands in the name of a file that browsers keep. */
export const shortDigest = (content: Uint8Array) => sha256(content).slice(0, 8).toUpperCase();
