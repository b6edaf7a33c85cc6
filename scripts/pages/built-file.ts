/** A file that the service serves. */
export interface BuiltFile {
  /** Path of its URL. */
  readonly path: string;
  /** Its name in the folder of the pages. */
  readonly file: string;
  readonly content: Uint8Array;
  /** Whether its name changes with its content, so that browsers may keep it. */
  readonly lasting: boolean;
  /** What it belongs to: `inspector: false` leaves out the inspector. */
  readonly part: 'inspector' | 'documents';
}
