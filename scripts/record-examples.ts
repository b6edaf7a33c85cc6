import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../src/core/json.js';
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
import { MADE_AT } from './pages/default-service.js';
import { FOLDER, LAB_FILE, type LabTrust, requestFiles } from './pages/examples.js';

/**
 * Makes other requests of the test lab for the examples of openapi.yaml and of the inspector. They were recorded once, since keys and
 * signatures differ each time. Run it as `tsx scripts/record-examples.ts`, then `npm run generate`.
 */

const MAA_ISSUER = 'https://lab.attest.veritee.example';
const DEBUG_ALLOWED = 1n << 19n;

type Making = readonly [name: string, title: string, shows: string, body: JsonObject];

/** The verify request of openapi.yaml. The example of GET /endorsements/{sha256} names the digest of its VCEK. */
async function recordVerify(): Promise<void> {
  const vm = await createVirtualMachine({ pki: createAmdPki({ at: MADE_AT }) });
  const nonce = Buffer.from('0123456789abcdef'.repeat(4), 'hex');
  write('examples/verify-request.json', bodyOf(vm.wireEvidence({ nonce }), nonce));
}

/** The requests of the inspector, and the roots that they rest on. */
async function recordInspector(): Promise<void> {
  const [pki, intel] = [createAmdPki({ at: MADE_AT }), createIntelPki({ at: MADE_AT })];
  const maa = await LabMaa.start({ pki, clock: () => MADE_AT });
  const vm = await createVirtualMachine({ pki });
  const old = await createVirtualMachine({
    platform: new SnpPlatform({ pki, tcb: { ...MILAN_TCB, microcode: 206 } }),
    pki,
    vtpm: vm.vtpm,
  });
  const td = await createTdxVirtualMachine({ platform: new TdxPlatform({ pki: intel }) });
  const booted = await createVirtualMachine({ pki, platform: vm.platform });
  for (const name of requestFiles()) rmSync(join(FOLDER, name));
  const makings = [...onSnp(vm, old), onTdx(td), withLog(booted), withToken(vm, maa), withoutChain(vm)];
  for (const [index, [name, title, shows, body]] of makings.entries()) {
    write(join(FOLDER, `${index + 1}-${name}.json`), { title, shows, recordedAt: MADE_AT.toISOString(), body });
  }
  const trust: LabTrust = {
    amd: [...pki.pins(['Milan'])].map(([product, pins]) => [product, [...pins]]),
    intel: [...intel.pins],
    mrtds: [AZURE_MRTD],
    maa: { issuer: MAA_ISSUER, policyHash: maa.policyHash, keySet: maa.keySet() },
  };
  write(join(FOLDER, LAB_FILE), trust);
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

function write(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

await recordVerify();
await recordInspector();
