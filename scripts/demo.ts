import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type RunningService, startService } from '../src/app/service.js';
import { mayColour, styledFor } from '../src/cli/output.js';
import { loadConfiguration } from '../src/config/load-configuration.js';
import type { Log } from '../src/core/ports.js';
import { MILAN_TCB } from '../test/lab/amd-lines.js';
import { createAmdPki } from '../test/lab/amd-pki.js';
import { LabKds } from '../test/lab/kds.js';
import { SnpPlatform } from '../test/lab/snp-platform.js';
import { type AzureEvidenceOptions, createVirtualMachine, type VirtualMachine } from '../test/lab/virtual-machine.js';

/**
 * Demonstrates verification, with no network and no hardware: the service as it is, AMD's key service and three
 * Azure confidential VMs in software. One allow, then five attacks. With `--keep` everything stays up afterwards; with
 * `--print` nothing is served, and the body of one request is written, with the lab's own certificates in it.
 */

const DEBUG_ALLOWED = 1n << 19n;

interface Answer {
  readonly decision: string;
  readonly reasons: readonly string[];
  readonly checks: readonly { readonly id: string; readonly result: string; readonly detail: string }[];
}

interface Stage {
  readonly service: RunningService;
  readonly vm: VirtualMachine;
  readonly otherVm: VirtualMachine;
  readonly oldVm: VirtualMachine;
}

const HELP = `Usage: npm run demo -- [options]

Demonstrates verification; the lab simulates AMD's KDS and Azure VMs. Needs neither network nor hardware.
One allow, then five attacks.

Options:
  --keep    leave everything running afterwards, and print a request that gets an allow
  --print   serve nothing: write the body of one request, with the lab's own certificates in it
  --help    show this
`;

const styled = styledFor({ inColour: mayColour(process.stdout, process.env) });
const options = optionsOf(process.argv.slice(2));

if (options.help) process.stdout.write(HELP);
else if (options.print) await printRequest();
else await demonstrate();

/** Ends the process for what is no option. */
function optionsOf(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args: [...args], options: { keep: flag, print: flag, help: flag } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'wrong options'}\n\n${HELP}`);
    process.exit(1);
  }
}

async function demonstrate(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'veritee-demo-'));
  const kds = await LabKds.start();
  const stage = await setStage(folder, kds);
  await play(stage);
  if (options.keep) await keepRunning(folder, stage);
  await stage.service.close();
  await kds.close();
  await rm(folder, { recursive: true });
}

async function printRequest(): Promise<void> {
  const vm = await createVirtualMachine({ pki: createAmdPki({ at: new Date() }) });
  const nonce = randomBytes(32);
  say(JSON.stringify({ evidence: vm.wireEvidence({ nonce }), nonce: nonce.toString('base64url') }));
}

async function setStage(folder: string, kds: LabKds): Promise<Stage> {
  const pki = createAmdPki({ at: new Date() });
  const machine = async (tcb = MILAN_TCB) => {
    const platform = new SnpPlatform({ pki, tcb, chipId: randomBytes(64) });
    kds.serveVcek('Milan', platform.chipId, tcb, platform.vek.der);
    return createVirtualMachine({ pki, platform });
  };
  kds.serveLine(pki, 'Milan');
  const [vm, otherVm, oldVm] = [await machine(), await machine(), await machine({ ...MILAN_TCB, microcode: 206 })];
  const text = JSON.stringify({
    listen: { port: 0 },
    amd: { kds: kds.origin, chains: join(folder, 'amd') },
    // Everything that the service writes is beside it: the lab's lists must not be taken for AMD's later.
    stores: { url: `sqlite:${join(folder, 'veritee.db')}` },
  });
  const service = await startService(loadConfiguration({ text, environment: {} }), {
    log: silent(),
    amdRootPins: pki.pins(['Milan']),
    connect: { ca: kds.authorityPem },
  });
  return { service, vm, otherVm, oldVm };
}

async function play({ service, vm, otherVm, oldVm }: Stage): Promise<void> {
  say(`veritee serves on ${service.url}; the lab simulates AMD's KDS and three Azure VMs\n`);
  const first = await challenge(service);
  const good = wire(vm, { nonce: first });
  await show('a genuine VM, current firmware, fresh nonce', service, good, first);

  const tampered = await challenge(service);
  const changed = (report: Uint8Array) => flipMeasurement(report);
  await show(
    '1. tampered report: one bit of the launch measurement',
    service,
    wire(vm, { nonce: tampered, report: { afterSigning: changed } }),
    tampered,
  );

  const debug = await challenge(service);
  const policy = { fields: { policy: vm.platform.reportFields().policy | DEBUG_ALLOWED } };
  await show(
    '2. debug guest: the host may read its memory',
    service,
    wire(vm, { nonce: debug, report: policy }),
    debug,
  );

  const old = await challenge(service);
  await show('3. old firmware: before the microcode signature fix', service, wire(oldVm, { nonce: old }), old);

  await show('4. replayed nonce: the first request once more', service, good, first);

  const other = await challenge(service);
  const foreign = { ...wire(vm, { nonce: other }), tpmQuote: wire(otherVm, { nonce: other })['tpmQuote'] };
  await show("5. another VM's key: hardware report of one, vTPM quote of the other", service, foreign, other);
}

/** Without endorsements: the service asks the key service for them. */
function wire(vm: VirtualMachine, options: AzureEvidenceOptions): Record<string, unknown> {
  const { endorsements: _left, ...evidence } = vm.wireEvidence(options) as Record<string, unknown>;
  return evidence;
}

function flipMeasurement(report: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(report);
  changed[0x90] = (changed[0x90] ?? 0) ^ 1;
  return changed;
}

async function challenge({ url }: RunningService): Promise<Uint8Array> {
  const response = await fetch(`${url}/challenges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  if (!response.ok) throw new Error(`the service answers ${response.status}: ${await response.text()}`);
  const { nonce } = (await response.json()) as { nonce: string };
  return Buffer.from(nonce, 'base64url');
}

async function show(what: string, { url }: RunningService, evidence: object, nonce: Uint8Array): Promise<void> {
  const body = JSON.stringify({ evidence, nonce: Buffer.from(nonce).toString('base64url') });
  const response = await fetch(`${url}/verify`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const answer = (await response.json()) as Answer;
  const colour = answer.decision === 'allow' ? 'green' : 'red';
  say(`${styled(['bold', colour], answer.decision.padEnd(6))} ${what}`);
  for (const code of answer.reasons) {
    const check = answer.checks.find(({ id, result }) => id === code && result !== 'pass');
    say(`         ${styled('yellow', code)}: ${check?.detail ?? ''}`);
  }
  const passed = answer.checks.filter(({ result }) => result === 'pass').length;
  say(`         ${passed} checks passed\n`);
}

async function keepRunning(folder: string, { service, vm }: Stage): Promise<void> {
  const nonce = randomBytes(32);
  const file = join(folder, 'request.json');
  await writeFile(file, JSON.stringify({ evidence: wire(vm, { nonce }), nonce: nonce.toString('base64url') }));
  say('Both stay up until Ctrl-C. This gets an allow:\n');
  say(`  curl -s ${service.url}/verify -H 'content-type: application/json' -d @${file}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function silent(): Log {
  const nothing = () => undefined;
  return { info: nothing, warn: nothing, error: nothing, debug: nothing };
}
