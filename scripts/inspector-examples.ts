import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SnpProduct } from '../src/core/claims.js';
import type { JsonObject, JsonValue } from '../src/core/json.js';
import type { Clock } from '../src/core/ports.js';
import { type DefaultService, startDefaultService } from '../test/contract/request-examples.js';
import {
  AZURE_MRTD,
  applicationEvent,
  buildEventLog,
  createAmdPki,
  createIntelPki,
  createTdxVirtualMachine,
  createVirtualMachine,
  firmwareEvents,
  LabMaa,
  MILAN_TCB,
  measureInto,
  SnpPlatform,
  TdxPlatform,
  type TdxVirtualMachine,
  type VirtualMachine,
} from '../test/lab/index.js';

/**
 * The examples of the inspector: requests of the lab, and what a service says that trusts the lab's roots. The requests were recorded
 * once, since keys and signatures differ each time (`tsx scripts/inspector-examples.ts` makes others); the answers are
 * those of today.
 */

const FOLDER = fileURLToPath(new URL('../src/inspector/examples/', import.meta.url));
const LAB_FILE = 'lab.json';

/** When the requests were made, and when the service that answers has them. */
export const RECORDED_AT = new Date('2026-11-27T12:00:00Z');
const CLOCK: Clock = { now: () => RECORDED_AT, monotonicMs: () => performance.now() };

/** Stands for ids, which differ from answer to answer. */
const DECISION_ID = '019bc1f0-5a3c-7b52-9d9f-3a0e8d0f5c11';
const MAA_ISSUER = 'https://lab.attest.veritee.example';
const DEBUG_ALLOWED = 1n << 19n;

/** An example as its file has it. */
export interface RecordedExample {
  readonly title: string;
  /** The lesson, in one sentence. */
  readonly shows: string;
  readonly recordedAt: string;
  /** Of `POST /verify`. */
  readonly body: JsonObject;
  /** With `checks=all`. */
  readonly answer: JsonObject;
}

/** The trust anchors of the service of the recordings. */
interface LabTrust {
  readonly amd: readonly (readonly [SnpProduct, readonly string[]])[];
  readonly intel: readonly string[];
  readonly maa: { readonly policyHash: string; readonly keySet: JsonValue };
}

type Making = readonly [name: string, title: string, shows: string, body: JsonObject];

/** Names of the files of examples, in the order in which they are shown. */
export function exampleFiles(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((name) => /^\d/.test(name))
    .toSorted();
}

export function readExample(file: string): RecordedExample {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
}

/** Runs something with a service that trusts what the recordings rest on, at the time of then. */
export async function withLabService<T>(act: (service: DefaultService) => Promise<T>): Promise<T> {
  const { amd, intel, maa }: LabTrust = JSON.parse(readFileSync(join(FOLDER, LAB_FILE), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'veritee-examples-'));
  const keys = join(folder, 'maa.jwks.json');
  writeFileSync(keys, JSON.stringify(maa.keySet));
  const configuration = {
    amd: { kds: 'off' },
    intel: { pcs: 'off' },
    azure: { paravisors: { mrtds: [AZURE_MRTD] } },
    maa: { issuers: [{ issuer: MAA_ISSUER, keys, policyHash: [maa.policyHash] }] },
  };
  const amdRootPins = new Map(amd.map(([product, pins]) => [product, new Set(pins)]));
  const service = await startDefaultService(CLOCK, configuration, { amdRootPins, intelRootPins: new Set(intel) });
  try {
    return await act(service);
  } finally {
    await service.close();
    rmSync(folder, { recursive: true });
  }
}

/** The present answer of the service to a body. */
export async function answerTo({ url }: Pick<DefaultService, 'url'>, body: JsonObject): Promise<JsonObject> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${url}/verify?checks=all`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as JsonObject;
  if (response.status !== 200) throw new Error(`/verify answers ${response.status}: ${JSON.stringify(answer)}`);
  return { ...answer, decisionId: DECISION_ID };
}

async function recordRequests(): Promise<void> {
  const [pki, intel] = [createAmdPki({ at: RECORDED_AT }), createIntelPki({ at: RECORDED_AT })];
  const maa = await LabMaa.start({ pki, clock: () => RECORDED_AT });
  const vm = await createVirtualMachine({ pki });
  const old = await createVirtualMachine({
    platform: new SnpPlatform({ pki, tcb: { ...MILAN_TCB, microcode: 206 } }),
    pki,
    vtpm: vm.vtpm,
  });
  const td = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: intel }) });
  const booted = await createVirtualMachine({ pki, platform: vm.platform });
  for (const name of exampleFiles()) rmSync(join(FOLDER, name));
  const makings = [...onSnp(vm, old), onTdx(td), withLog(booted), withToken(vm, maa), withoutChain(vm)];
  for (const [index, [name, title, shows, body]] of makings.entries()) {
    write(`${index + 1}-${name}.json`, { title, shows, recordedAt: RECORDED_AT.toISOString(), body, answer: {} });
  }
  write(LAB_FILE, {
    amd: [...pki.pins(['Milan'])].map(([product, pins]) => [product, [...pins]]),
    intel: [...intel.pins],
    maa: { policyHash: maa.policyHash, keySet: maa.keySet() },
  });
  await maa.close();
}

function onSnp(vm: VirtualMachine, old: VirtualMachine): readonly Making[] {
  const [nonce, other] = [nonceOf('nonce'), nonceOf('another nonce')];
  const debug = { fields: { policy: vm.platform.reportFields().policy | DEBUG_ALLOWED } };
  return [
    [
      'snp-allow',
      'SEV-SNP, and all of it holds',
      'What an allow rests on: current firmware, Secure Boot, and evidence that is fresh for this nonce.',
      bodyOf(vm.wireEvidence({ nonce }), nonce),
    ],
    [
      'snp-debug',
      'SEV-SNP that may be debugged',
      'Why genuine hardware is not enough: this guest policy lets the host read and change the memory of the guest.',
      bodyOf(vm.wireEvidence({ nonce, report: debug }), nonce),
    ],
    [
      'snp-old-firmware',
      'SEV-SNP with old firmware',
      'How a policy rejects old firmware: the hardware is genuine, and its microcode is older than the policy accepts.',
      bodyOf(old.wireEvidence({ nonce }), nonce),
    ],
    [
      'snp-other-nonce',
      'SEV-SNP with another nonce',
      'Why every request needs a nonce: genuine evidence of another request can be sent again.',
      bodyOf(vm.wireEvidence({ nonce: other }), nonce),
    ],
  ];
}

function onTdx(td: TdxVirtualMachine): Making {
  const nonce = nonceOf('nonce');
  return [
    'tdx-allow',
    'TDX, and all of it holds',
    "What TDX needs besides a quote: Intel's collateral, which calls the TCB level up to date.",
    bodyOf(td.wireEvidence({ nonce }), nonce),
  ];
}

/** A log that has an application which the TPM was never told of. */
function withLog(vm: VirtualMachine): Making {
  const nonce = nonceOf('nonce');
  const events = firmwareEvents();
  measureInto(vm.vtpm, events);
  const eventLog = [buildEventLog([...events, applicationEvent('an application that was not measured')])] as const;
  return [
    'snp-event-log',
    'An event log that does not match',
    'Why an event log needs a quote: this log replays to other values than the TPM signed.',
    bodyOf(vm.wireEvidence({ nonce, eventLog }), nonce),
  ];
}

/** A token that says something else about the same machine. */
function withToken(vm: VirtualMachine, maa: LabMaa): Making {
  const nonce = nonceOf('nonce');
  const token = maa.issueAzureVm({
    hclReport: vm.hclReport({ nonce }),
    clientPayloadNonce: nonce,
    header: { jku: `${MAA_ISSUER}/certs` },
    claims: (genuine) => ({
      ...genuine,
      iss: MAA_ISSUER,
      'x-ms-isolation-tee': {
        ...(genuine['x-ms-isolation-tee'] as JsonObject),
        'x-ms-sevsnpvm-launchmeasurement': 'ab'.repeat(48),
      },
    }),
  });
  return [
    'maa-disagrees',
    'A token of Azure Attestation that disagrees',
    'What a second verifier adds: hardware and token state different launch measurements of one machine.',
    { ...bodyOf(vm.wireEvidence({ nonce }), nonce), attestationResults: [{ type: 'maa-token', token }] },
  ];
}

/** Endorsements that the service would have to fetch, and cannot. */
function withoutChain(vm: VirtualMachine): Making {
  const nonce = nonceOf('nonce');
  const { endorsements: _, ...evidence } = vm.wireEvidence({ nonce });
  return [
    'snp-indeterminate',
    'Evidence that cannot be decided',
    'When the answer is neither allow nor deny: the certificate of the key is missing, and no source could be reached.',
    bodyOf(evidence, nonce),
  ];
}

const bodyOf = (evidence: JsonObject, nonce: Uint8Array): JsonObject => ({
  evidence,
  nonce: Buffer.from(nonce).toString('base64url'),
});

/** 32 bytes that say what they are. */
const nonceOf = (text: string) => Buffer.alloc(32, `${text} `);

/** Writes the answers of a service of today to the recorded bodies. */
export async function recordAnswers(): Promise<void> {
  await withLabService(async (service) => {
    for (const file of exampleFiles()) {
      const example = readExample(file);
      write(file, { ...example, answer: await answerTo(service, example.body) });
    }
  });
}

function write(file: string, value: object): void {
  writeFileSync(join(FOLDER, file), `${JSON.stringify(value, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await recordRequests();
