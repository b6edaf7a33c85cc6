import { parsePemCertificates } from '../../formats/pem.js';
import { attempt, type NamedFile, type RefusedFile } from './material-files.js';

const PEM_BEGIN = '-----BEGIN ';
/** First byte of a SEQUENCE, with which all DER here starts. */
const DER_START = 0x30;

/** The DER of everything in a file: the blocks of PEM, or the whole file. */
export function dersOf({ name, bytes }: NamedFile, refused: RefusedFile[]): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString('latin1');
  // Text before the first block is rejected, for another reason than wrong DER.
  if (bytes[0] === DER_START || !text.includes(PEM_BEGIN)) return [bytes];
  const ders = attempt(() => parsePemCertificates(text, 'cert_format', { bytes: Number.POSITIVE_INFINITY }));
  if (!(ders instanceof Error)) return ders;
  refused.push({ name, why: ders.message });
  return [];
}
