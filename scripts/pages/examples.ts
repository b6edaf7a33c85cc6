import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SnpProduct } from '../../src/core/claims.js';
import type { JsonObject, JsonValue } from '../../src/core/json.js';
import type { ListedExample } from '../../src/inspector/example.js';
import type { BuiltFile } from './built-file.js';
import { type AnsweringService, answerTo, CLOCK_OF_EXAMPLES, startDefaultService } from './default-service.js';

/** The recorded requests of the test lab that the inspector shows, and its trust anchors. */
export const FOLDER = fileURLToPath(new URL('../../src/inspector/examples/', import.meta.url));
export const LAB_FILE = 'lab.json';

/** A request as its file has it. */
export interface RecordedRequest {
  readonly title: string;
  /** The lesson, in one sentence. */
  readonly shows: string;
  readonly recordedAt: string;
  /** Of `POST /verify`. */
  readonly body: JsonObject;
}

/** With the answer of a service of today, with `checks=all`. */
export interface AnsweredExample extends RecordedRequest {
  readonly file: string;
  readonly answer: JsonObject;
}

/** The configuration of the service of the recordings. */
export interface LabTrust {
  readonly amd: readonly (readonly [SnpProduct, readonly string[]])[];
  readonly intel: readonly string[];
  readonly mrtds: readonly string[];
  readonly maa: { readonly issuer: string; readonly policyHash: string; readonly keySet: JsonValue };
}

/** Names of the files of requests, in the order in which they are shown. */
export function requestFiles(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => /^\d/.test(name))
    .toSorted();
}

/** Every example with the answer of a service that trusts the lab. */
export async function answeredExamples(service: AnsweringService): Promise<readonly AnsweredExample[]> {
  const examples: AnsweredExample[] = [];
  for (const file of requestFiles()) {
    const recorded: RecordedRequest = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
    examples.push({ file, ...recorded, answer: await answerTo(service, '/verify?checks=all', recorded.body) });
  }
  return examples;
}

/** Runs something with a service that trusts the lab, at the time of the recordings. */
export async function withLabService<T>(act: (service: AnsweringService) => Promise<T>): Promise<T> {
  const { amd, intel, mrtds, maa }: LabTrust = JSON.parse(readFileSync(join(FOLDER, LAB_FILE), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'veritee-examples-'));
  const keys = join(folder, 'maa.jwks.json');
  writeFileSync(keys, JSON.stringify(maa.keySet));
  const configuration = {
    amd: { kds: 'off' },
    intel: { pcs: 'off' },
    azure: { paravisors: { mrtds } },
    maa: { issuers: [{ issuer: maa.issuer, keys, policyHash: [maa.policyHash] }] },
  };
  const amdRootPins = new Map(amd.map(([product, pins]) => [product, new Set(pins)]));
  const roots = { amdRootPins, intelRootPins: new Set(intel) };
  const service = await startDefaultService(CLOCK_OF_EXAMPLES, configuration, roots);
  try {
    return await act(service);
  } finally {
    await service.close();
    rmSync(folder, { recursive: true });
  }
}

/** The examples as files that never change, and the list of them. */
export function exampleFiles(examples: readonly AnsweredExample[]): {
  readonly files: readonly BuiltFile[];
  readonly list: readonly ListedExample[];
} {
  const built = examples.map(builtExample);
  return { files: built.map(({ file }) => file), list: built.map(({ listed }) => listed) };
}

function builtExample({ file: name, ...example }: AnsweredExample): {
  readonly file: BuiltFile;
  readonly listed: ListedExample;
} {
  const content = Buffer.from(JSON.stringify(example));
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 8).toUpperCase();
  const file = `example-${name.replace(/^\d+-(.*)\.json$/, '$1')}-${digest}.json`;
  const path = `/inspector/${file}`;
  const { title, shows } = example;
  return { file: { path, file, content, lasting: true, part: 'inspector' }, listed: { title, shows, path } };
}
