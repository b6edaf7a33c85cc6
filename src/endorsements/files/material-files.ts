import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Unavailable } from '../../core/endorsement.js';
import { ConfigurationError, FormatError, UnfitError } from '../../core/errors.js';
import { fileProblem } from '../../core/file-problem.js';
import { markOf, modifiedAt } from '../../files/disk-files.js';
import { readBoundedFile } from '../../files/whole-files.js';

/** Which files of a folder are material, by their names: of AMD's certificates and CRLs, and of Intel's collateral. */
export const CERTIFICATE_FILES = /^[^.].*\.(?:pem|der|crl)$/i;
export const COLLATERAL_FILES = /^[^.].*\.json$/i;
/** Every file counts, whatever it is called. Kubernetes gives names with a dot to what is its own in a volume. */
export const ALL_FILES = /^[^.]/;

const MAXIMUM_FILES = 10_000;
/** Of a folder: some four times what so many certificates have. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** When it was last written; null or left out where that is not known. */
  readonly modifiedAt?: Date | null;
}

/** A CRL or collateral item in the operator's folder, with its nextUpdate. */
export interface EndingFile {
  /** Key of the configuration that names the folder. */
  readonly key: 'amd.chains' | 'intel.collateral';
  readonly file: string;
  /** The subject: an issuer, or a kind of platform. */
  readonly subject: string;
  /** RFC 3339, in UTC. */
  readonly expires: string;
}

/** Those that nothing else of the folder replaces: of each group the one that ends last. */
export function lastOfEach(files: readonly (EndingFile & { readonly group: string })[]): readonly EndingFile[] {
  const last = new Map<string, EndingFile>();
  for (const { group, ...file } of files) {
    const other = last.get(group);
    if (other === undefined || Date.parse(other.expires) < Date.parse(file.expires)) last.set(group, file);
  }
  return [...last.values()];
}

/** A file, or something in it, that was not taken. */
export interface RefusedFile {
  readonly name: string;
  readonly why: string;
}

/** Something of a bundle that was taken: what it is, and the name under which it is kept. */
export interface TakenFile {
  readonly name: string;
  readonly what: string;
  readonly keptAs: string;
}

export interface ImportReport {
  readonly taken: readonly TakenFile[];
  readonly refused: readonly RefusedFile[];
}

/**
 * Endorsements for machines without network: files for one folder, which is the same as the operator's folder
 * (`amd.chains`, `intel.collateral`). It has no format of its own, and OpenSSL shows what is in that of AMD.
 */
export interface ExportedBundle {
  readonly files: readonly NamedFile[];
  /** The missing endorsements. */
  readonly missing: readonly Unavailable[];
}

/** The content of a folder: files that were read, and files that were refused. */
export interface MaterialFiles {
  readonly files: readonly NamedFile[];
  readonly refused: readonly RefusedFile[];
}

/** The result, or why there is none. Faults that are not about the material are not caught. */
export function attempt<T>(read: () => T): T | Error {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnfitError) return error;
    throw error;
  }
}

/**
 * A text that changes when a file of the folder comes, goes or is written; null where there is no folder.
 * Links are followed, as a mounted Kubernetes volume consists of them.
 */
export async function fingerprintOf(folder: string, material: RegExp): Promise<string | null> {
  const names = await namesIn(folder, material);
  if (names === null) return null;
  const marks = await Promise.all(names.map((name) => markOf(join(folder, name))));
  return JSON.stringify(names.map((name, index) => [name, marks[index]]));
}

/** Reads the files of a folder whose names fit, in the order of their names; none where there is no folder. */
export async function readMaterialFiles(folder: string, material: RegExp): Promise<MaterialFiles> {
  return readFiles(folder, (await namesIn(folder, material)) ?? []);
}

/** The same of a bundle. @throws {ConfigurationError} where there is no such folder */
export async function readBundle(folder: string, material: RegExp): Promise<MaterialFiles> {
  const names = await namesIn(folder, material);
  if (names === null) throw noSuchFolder(folder);
  return readFiles(folder, names);
}

async function readFiles(folder: string, names: readonly string[]): Promise<MaterialFiles> {
  const files: NamedFile[] = [];
  const refused: RefusedFile[] = [];
  let length = 0;
  for (const name of names) {
    const isFull = files.length >= MAXIMUM_FILES || length >= MAXIMUM_BYTES;
    const read = isFull ? 'too much in this folder' : await readMaterialFile(join(folder, name));
    if (typeof read === 'string') refused.push({ name, why: read });
    else {
      files.push({ name, bytes: read, modifiedAt: modifiedAt(await markOf(join(folder, name))) });
      length += read.byteLength;
    }
  }
  return { files, refused };
}

/** The bytes, or why there are none. */
async function readMaterialFile(path: string): Promise<Uint8Array | string> {
  try {
    return await readBoundedFile(path);
  } catch (error) {
    return error instanceof UnfitError ? error.message : fileProblem(error);
  }
}

async function namesIn(folder: string, material: RegExp): Promise<readonly string[] | null> {
  try {
    return (await readdir(folder)).filter((name) => material.test(name)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown fault';
}

/**
 * A bundle that says what one machine needs must not be mixed with what stood there before.
 * @throws {ConfigurationError} where the folder of an export is not empty, or no folder
 */
export async function requireEmptyFolder(folder: string): Promise<void> {
  const names = (await namesInBundle(folder)) ?? [];
  if (names.length === 0) return;
  throw new ConfigurationError([`${folder}: is not empty; an export writes into a new or empty folder`]);
}

/** @throws {ConfigurationError} where a folder is not there, is none, or has no file that an import could take */
export async function requireBundle(folder: string): Promise<void> {
  const names = await namesInBundle(folder);
  if (names === null) throw noSuchFolder(folder);
  if (names.some((name) => CERTIFICATE_FILES.test(name) || COLLATERAL_FILES.test(name))) return;
  const what = 'certificates and CRLs (*.pem, *.der, *.crl) or TDX collateral (*.json)';
  const state = names.length === 0 ? 'is empty' : 'has nothing to import';
  throw new ConfigurationError([`${folder}: ${state}; a bundle holds ${what}`]);
}

/** Names but those that begin with a dot, which nothing here reads; null where there is no folder. */
async function namesInBundle(folder: string): Promise<readonly string[] | null> {
  try {
    return await namesIn(folder, ALL_FILES);
  } catch (error) {
    throw codeOf(error) === 'ENOTDIR' ? new ConfigurationError([`${folder}: is not a folder`]) : error;
  }
}

function noSuchFolder(folder: string): ConfigurationError {
  return new ConfigurationError([`${folder}: no such folder`]);
}
