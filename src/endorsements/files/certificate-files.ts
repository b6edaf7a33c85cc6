import { parsePemCertificates } from '../../formats/pem.js';
import { attempt, type NamedFile, type RefusedFile } from './material-files.js';

const PEM_START = '-----BEGIN CERTIFICATE-----';

/** The DER of everything in a file: the blocks of PEM, by its first line, or the file as it stands. */
export function dersOf({ name, bytes }: NamedFile, refused: RefusedFile[]): readonly Uint8Array[] {
  const text = Buffer.from(bytes).toString('latin1');
  if (!text.startsWith(PEM_START)) return [bytes];
  const ders = attempt(() => parsePemCertificates(text, 'cert_format', { bytes: Number.POSITIVE_INFINITY }));
  if (!(ders instanceof Error)) return ders;
  refused.push({ name, why: ders.message });
  return [];
}
