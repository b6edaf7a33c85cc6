import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseFirmwareEventLog } from '../../src/boot/format/tcg-event-log.js';
import { PCR_LAYOUT } from '../../src/boot/register-layout.js';
import { replay } from '../../src/boot/replay.js';
import {
  type AmdPki,
  buildEventLog,
  createAmdPki,
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  createVirtualMachine,
  grubBoot,
  LabMaa,
  measureInto,
  type SnpGuest,
  SnpPlatform,
  TdxPlatform,
  type VirtualTpm,
  wireCollateral,
} from '../lab/index.js';
import { haveVectors, readVector } from '../vectors.js';
import type { JsonObject, Material } from './protocol.js';
import { DEAREST_POLICY } from './worst-policies.js';

/** Requests of each kind. Nothing is gained by answering one twice: each has a nonce of its own. */
const REQUESTS = 64;

/** Digits alone: go-tdx-guest 0.3 takes letters for another platform, since Intel writes them in either case. */
const FMSPC = '008060050000';

const SNP_POLICY = `apiVersion: veritee/v1
id: snp
version: 1
accepts: [snp]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
`;

const TDX_POLICY = `apiVersion: veritee/v1
id: tdx
version: 1
accepts: [tdx]
minimums: { tdx: { acceptedStatuses: [UpToDate] } }
`;

/** The built-in baseline for SEV-SNP, and rules as people write them. */
const RULED_POLICY = `apiVersion: veritee/v1
id: ruled
version: 1
accepts: [az-snp-vtpm]
secureBoot: required
require: { tpm: { quotedPcrs: [0, 1, 2, 3, 4, 5, 6, 7] } }
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
rules:
  - { id: vmpl, cel: "snp.vmpl == 0" }
  - { id: guest-svn, cel: "snp.guestSvn % 65536 >= 5" }
  - { id: product, cel: "snp.product in ['Milan', 'Genoa', 'Turin']" }
  - { id: debug, cel: "!snp.policy.debug && !snp.policy.migrateMa" }
  - { id: reported, cel: "snp.tcb.reported.snp >= 24 && snp.tcb.reported.microcode >= 219" }
  - { id: launch, cel: "snp.tcb.launch.snp >= 24 && snp.tcb.launch.microcode >= 219" }
  - { id: bits, cel: "size(snp.platformInfo.unknownBits) < 8" }
  - { id: key, cel: "snp.signingKey == 'vcek' || snp.signingKey == 'vlek'" }
  - { id: paravisor, cel: "hcl.paravisor.known && hcl.reportType == 'snp'" }
  - { id: secure-boot, cel: "hcl.vmConfiguration.secureBoot && hcl.vmConfiguration.tpmEnabled" }
  - { id: clock, cel: "tpm.clock.safe && tpm.clock.resetCount >= 0" }
  - { id: pcr-0, cel: "tpm.pcrs.sha256['0'] != tpm.pcrs.sha256['1'] || tpm.clock.safe" }
  - { id: pcr-4, cel: "tpm.pcrs.sha256['4'].size() == 64" }
  - { id: pcr-7, cel: "tpm.pcrs.sha256['7'].size() == 64 && has(tpm.firmwareVersion)" }
  - { id: by-type, cel: "evidence.type == 'az-snp-vtpm' ? snp.version >= 2 : false" }
`;

const LARGEST_LOG = 'tpm-eventlog/evlog-keylime-secureboot.bin';

// Chain and CRL are the service's: what a request brings is the certificate of its key.
const ENDORSEMENTS = { chain: null, crls: [] };

/**
 * Guests of the lab and what they send, and the folders that a service has to know.
 * @param chips of how many chips one request is made each
 */
export async function makeMaterial(folder: string, chips = 0): Promise<Material> {
  const pki = createAmdPki();
  const platform = new SnpPlatform({ pki });
  const tdxPlatform = new TdxPlatform({ pki: createIntelPki(), fmspc: FMSPC });
  const collateral = JSON.stringify(wireCollateral(tdxPlatform.collateral()));
  await writeFolders(folder, platform, collateral);
  const guest = createSnpGuest({ pki, platform });
  const td = createTdxGuest({ platform: tdxPlatform });
  const machine = await createVirtualMachine({ pki, platform });
  const booted = await createVirtualMachine({ pki, platform });
  const log = bootInto(booted.vtpm);
  const maa = await LabMaa.start({ pki });
  const tdx = bodies('tdx', (nonce) => td.wireEvidence({ nonce, collateral: null }));
  await writeFile(join(folder, 'maa.jwks.json'), JSON.stringify(maa.keySet()));
  await writeFile(join(folder, 'quotes.json'), JSON.stringify(tdx.map(quoteOf)));
  const azure = bodies('azure-cvm-baseline', (nonce) => machine.wireEvidence({ nonce, endorsements: ENDORSEMENTS }));
  const material: Material = {
    service: {
      folder,
      amdPins: [...pki.pins([platform.product])].map(([product, pins]) => [product, [...pins]] as const),
      intelPins: [...tdxPlatform.pki.pins],
      issuer: maa.issuer,
    },
    report: base64(platform.report()),
    vek: base64(platform.vek.der),
    collateral,
    bodies: {
      snp: bodies('snp', (nonce) => guest.wireEvidence({ nonce, endorsements: ENDORSEMENTS })),
      'az-snp-vtpm': azure,
      tdx,
      'maa-token': bodies('azure-maa-baseline', (nonce) => ({
        type: 'maa-token',
        token: maa.issueAzureVm({ hclReport: machine.hclReport({ nonce }), clientPayloadNonce: nonce }),
      })),
    },
    logged: bodies('azure-cvm-baseline', (nonce) =>
      booted.wireEvidence({ nonce, endorsements: ENDORSEMENTS, eventLog: [log] }),
    ),
    ruled: bodies('ruled', (nonce) => machine.wireEvidence({ nonce, endorsements: ENDORSEMENTS })),
    addressed: azure.map((body) => JSON.stringify({ ...JSON.parse(body), audience: 'https://gate.example' })),
    chips: bodies('snp', (nonce) => ofNewChip(pki, guest, nonce), chips),
  };
  await maa.close();
  return material;
}

/** The largest event log of the vectors, or that of a boot of the lab, and a TPM whose PCRs are what it replays to. */
function bootInto(tpm: VirtualTpm): Uint8Array {
  if (!haveVectors) {
    const events = grubBoot();
    measureInto(tpm, events);
    return buildEventLog(events);
  }
  measureInto(tpm, []);
  const log = readVector(LARGEST_LOG);
  const { events } = parseFirmwareEventLog(log, log.byteLength);
  for (const [index, value] of replay(events, 'sha256', PCR_LAYOUT).values) tpm.setPcr('sha256', index, value);
  return log;
}

/** Evidence of a guest on a chip that no other guest is on. */
function ofNewChip(pki: AmdPki, guest: SnpGuest, nonce: Uint8Array): JsonObject {
  const { product, tcb } = guest.platform;
  const chipId = randomBytes(64);
  const { der, key } = pki.issueVcek({ product, tcb, chipId });
  const report = { fields: { chipId }, key: key.privateKey };
  return guest.wireEvidence({ nonce, report, endorsements: { ...ENDORSEMENTS, vek: { der } } });
}

function quoteOf(body: string): string {
  return Buffer.from(JSON.parse(body).evidence.quote, 'base64url').toString('base64');
}

async function writeFolders(folder: string, platform: SnpPlatform, collateral: string): Promise<void> {
  const [chains, intel, policies] = [join(folder, 'chains'), join(folder, 'intel'), join(folder, 'policies')];
  await Promise.all([mkdir(chains), mkdir(intel), mkdir(policies, { mode: 0o700 })]);
  await Promise.all([
    writeFile(join(chains, 'chain.pem'), platform.chain),
    writeFile(join(chains, 'list.crl'), platform.crl),
    writeFile(join(intel, 'collateral.json'), collateral),
    writeFile(join(policies, 'snp.yaml'), SNP_POLICY, { mode: 0o600 }),
    writeFile(join(policies, 'tdx.yaml'), TDX_POLICY, { mode: 0o600 }),
    writeFile(join(policies, 'ruled.yaml'), RULED_POLICY, { mode: 0o600 }),
    writeFile(join(policies, 'dearest.yaml'), DEAREST_POLICY, { mode: 0o600 }),
  ]);
}

function bodies(policy: string, evidence: (nonce: Uint8Array) => JsonObject, count = REQUESTS): readonly string[] {
  return Array.from({ length: count }, () => {
    const nonce = randomBytes(32);
    return JSON.stringify({ evidence: evidence(nonce), nonce: nonce.toString('base64url'), policy });
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
