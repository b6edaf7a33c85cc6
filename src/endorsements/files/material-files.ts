import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Unavailable } from '../../core/endorsement.js';
import { ConfigurationError, FormatError, UnfitError } from '../../core/errors.js';
import { fileProblem } from '../../core/file-problem.js';
import { markOf, modifiedAt } from '../../files/disk-files.js';
import { readBoundedFile } from '../../files/whole-files.js';

/** Names of material files in a folder: AMD's certificates and CRLs, and Intel's collateral. */
export const CERTIFICATE_FILES = /^[^.].*\.(?:pem|der|crl)$/i;
export const COLLATERAL_FILES = /^[^.].*\.json$/i;
/** Every file counts, except names with a leading dot, which Kubernetes uses in a volume. */
export const ALL_FILES = /^[^.]/;

const MAXIMUM_FILES = 10_000;
/** Limit of a folder: some four times the size of as many certificates. */
const MAXIMUM_BYTES = 64 * 1024 * 1024;

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** When it was last written; null or absent if unknown. */
  readonly modifiedAt?: Date | null;
}

/** A CRL or collateral item in the operator's folder, with its nextUpdate. */
export interface EndingFile {
  /** The configuration key of the folder. */
  readonly key: 'amd.chains' | 'intel.collateral';
  readonly file: string;
  /** The subject: an issuer, or a kind of platform. */
  readonly subject: string;
  /** RFC 3339, in UTC. */
  readonly expires: string;
}

/** Files without a replacement in the folder: of each group the one that expires last. */
export function lastOfEach(files: readonly (EndingFile & { readonly group: string })[]): readonly EndingFile[] {
  const last = new Map<string, EndingFile>();
  for (const { group, ...file } of files) {
    const other = last.get(group);
    if (other === undefined || Date.parse(other.expires) < Date.parse(file.expires)) last.set(group, file);
  }
  return [...last.values()];
}

/** A rejected file, or a rejected part of a file. */
export interface RefusedFile {
  readonly name: string;
  readonly why: string;
}

/** An accepted part of a bundle: its kind, and its file name. */
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
 * Endorsements for machines without network: files of one folder, in the form of the operator's folder
 * (`amd.chains`, `intel.collateral`). There is no special format: OpenSSL can show the files of AMD.
 */
export interface ExportedBundle {
  readonly files: readonly NamedFile[];
  /** The missing endorsements. */
  readonly missing: readonly Unavailable[];
}

/** The content of a folder: files that were read, and rejected files. */
export interface MaterialFiles {
  readonly files: readonly NamedFile[];
  readonly refused: readonly RefusedFile[];
}

/** Returns the result or the error. Errors that are not about the material are not caught. */
export function attempt<T>(read: () => T): T | Error {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnfitError) return error;
    throw error;
  }
}

/**
 * A text that changes when a file of the folder is added, removed or written; null if there is no folder.
 * Links are followed, as a mounted Kubernetes volume consists of them.
 */
export async function fingerprintOf(folder: string, material: RegExp): Promise<string | null> {
  const names = await namesIn(folder, material);
  if (names === null) return null;
  const marks = await Promise.all(names.map((name) => markOf(join(folder, name))));
  return JSON.stringify(names.map((name, index) => [name, marks[index]]));
}

/** Reads the files of a folder with matching names, sorted by name; none if there is no folder. */
export async function readMaterialFiles(folder: string, material: RegExp): Promise<MaterialFiles> {
  return readFiles(folder, (await namesIn(folder, material)) ?? []);
}

/** Reads the files of a bundle. @throws {ConfigurationError} if the folder does not exist */
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

/** Returns the bytes, or why there are none. */
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
 * A bundle with the needs of one machine must not be mixed with earlier content.
 * @throws {ConfigurationError} if the folder of an export is not empty, or not a folder
 */
export async function requireEmptyFolder(folder: string): Promise<void> {
  const names = (await namesInBundle(folder)) ?? [];
  if (names.length === 0) return;
  throw new ConfigurationError([`${folder}: is not empty; an export writes into a new or empty folder`]);
}

/** @throws {ConfigurationError} if a folder does not exist, is not a folder, or has no file to import */
export async function requireBundle(folder: string): Promise<void> {
  const names = await namesInBundle(folder);
  if (names === null) throw noSuchFolder(folder);
  if (names.some((name) => CERTIFICATE_FILES.test(name) || COLLATERAL_FILES.test(name))) return;
  const what = 'certificates and CRLs (*.pem, *.der, *.crl) or TDX collateral (*.json)';
  const state = names.length === 0 ? 'is empty' : 'has nothing to import';
  throw new ConfigurationError([`${folder}: ${state}; a bundle holds ${what}`]);
}

/** Names without a leading dot, as no other file is read; null if there is no folder. */
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
