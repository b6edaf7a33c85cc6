import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base64Url, LabService, lenientPolicy, NONCE, PKI } from '../integration/service/lab-service.js';
import {
  createIntelPki,
  createSnpGuest,
  createTdxGuest,
  LabMaa,
  type LabServer,
  SnpPlatform,
  TdxPlatform,
  TlsAuthority,
} from '../lab/index.js';
import type { LabFault } from '../lab/lab-fault.js';
import { LabPcs } from '../lab/pcs.js';
import { Client, type Outcome } from '../system/client.js';
import { labProcess } from '../system/lab-process.js';
import { ServiceProcess } from '../system/service-process.js';
import { slope } from './figures.js';
import { report, scaledSeconds } from './scale.js';

/** A service that works on while vendors fail each second and it is reloaded again and again. */

const SOAK_S = scaledSeconds(600, 20);
const MIB = 1024 * 1024;
const [FAULT_MS, WELL_MS, RELOAD_MS, MEMORY_MS] = [600, 400, 5_000, scaledSeconds(20, 3) * 1000];
const CLIENTS = 4;
/** So that the servers of the lab, which are in this process, come to answer. */
const PAUSE_MS = 20;

const INTEL = createIntelPki();

/** Codes that a failing vendor may leave undecided. */
const LEFT_OPEN: ReadonlySet<string> = new Set([
  'vcek_unavailable',
  'crl_unavailable',
  'crl_stale',
  'collateral_unavailable',
  'collateral_stale',
  'jwks_unavailable',
  'jwks_invalid',
  'jwks_stale',
  'deadline',
  'audit_unavailable',
]);

const FAULTS: readonly LabFault[] = [
  'half_open',
  'drip',
  'garbage',
  'oversize',
  'content_type',
  'redirect',
  { status: 429, retryAfter: '1' },
  { status: 500 },
  { status: 503 },
  { status: 404 },
];

/** A body, and what is right to say of it. `policies`: where the version in the answer decides. */
interface Question {
  readonly kind: string;
  readonly body: string;
  readonly isGenuine: boolean;
  /** Reasons, one of which a tampered one is denied for. */
  readonly reasons: readonly string[];
}

let lab: LabService;
let pcs: LabPcs;
let maa: LabMaa;
let service: ServiceProcess;
/** Guests of the moment: each second others, of whom the service knows nothing. */
let questions: readonly Question[] = [];
let made = 0;
let version = 1;

beforeAll(async () => {
  const tls = new TlsAuthority();
  lab = await LabService.create(tls);
  [pcs, maa] = await Promise.all([LabPcs.start({ tls }), LabMaa.start({ pki: PKI, tls })]);
  await writePolicies();
  const keys = {
    intel: { pcs: pcs.origin },
    maa: { shared: false, issuers: [{ issuer: maa.issuer, policyHash: [maa.policyHash] }] },
    log: { level: 'error' },
  };
  const node = ['--expose-gc', '--max-semi-space-size=64'];
  const command = await labProcess(lab, keys, { ca: tls.pem, intelPins: INTEL.pins, node });
  service = await ServiceProcess.start(command, { cwd: lab.root, measured: true });
});

afterAll(async () => {
  await service.close();
  await Promise.all([lab.close(), pcs.close(), maa.close()]);
});

/** Of even versions no report is good enough. */
async function writePolicies(): Promise<void> {
  const minimums = version % 2 === 1 ? 'any' : { snp: { Milan: { microcode: 254 } } };
  await lab.writePolicy(lenientPolicy('reports', { version, minimums, freshness: 'required' }));
  await lab.writePolicy(lenientPolicy('quotes', { version, accepts: ['tdx'], freshness: 'required' }));
  const routes = { hardware: 'off', maa: 'required' };
  await lab.writePolicy(lenientPolicy('tokens', { version, accepts: ['maa-token'], routes }));
}

/** New guests, on a chip and a platform that nobody has seen, and what they send. */
function makeQuestions(): readonly Question[] {
  made += 1;
  const chipId = new Uint8Array(randomBytes(64).map((octet) => octet | 1));
  const platform = new SnpPlatform({ pki: PKI, chipId });
  const { product, tcb, vek } = platform;
  lab.kds.serveVcek(product, chipId, tcb, vek.der);
  const snp = createSnpGuest({ pki: PKI, platform }).wireEvidence({
    nonce: NONCE,
    endorsements: { vek: null, chain: null, crls: [] },
  });
  const td = new TdxPlatform({ pki: INTEL, fmspc: made.toString(16).padStart(12, '0') });
  pcs.serve(td);
  const tdx = createTdxGuest({ platform: td }).wireEvidence({ nonce: NONCE, collateral: null });
  const { hclReport } = lab.vm.evidence({ nonce: NONCE });
  const token = maa.issueAzureVm({ hclReport, clientPayloadNonce: NONCE });
  const spoilt = `${token.slice(0, -8)}AAAAAAAA`;
  const azure = JSON.parse(lab.verifyBody()).evidence;
  const of = (kind: string, policy: string, evidence: object, reasons: readonly string[] = []) => ({
    kind,
    body: JSON.stringify({ evidence, nonce: base64Url(NONCE), policy }),
    isGenuine: reasons.length === 0,
    reasons,
  });
  return [
    of('snp', 'reports', snp),
    of('snp, tampered', 'reports', flipped(snp, 'report', 0x90), ['snp_signature']),
    of('az-snp-vtpm', 'reports', azure),
    of('az-snp-vtpm, tampered', 'reports', flipped(azure, 'hclReport', 0x20 + 0x90), ['snp_signature']),
    of('tdx', 'quotes', tdx),
    // In the report data, which the signature covers.
    of('tdx, tampered', 'quotes', flipped(tdx, 'quote', 600), ['tdx_signature', 'nonce_mismatch']),
    of('maa-token', 'tokens', { type: 'maa-token', token }),
    of('maa-token, tampered', 'tokens', { type: 'maa-token', token: spoilt }, ['token_signature']),
  ];
}

function flipped(evidence: object, member: string, at: number): object {
  const bytes = Buffer.from(String((evidence as Record<string, unknown>)[member]), 'base64url');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return { ...evidence, [member]: bytes.toString('base64url') };
}

/** The fault of an answer; null if there is none. */
function problemOf(question: Question, outcome: Outcome): unknown {
  if ('error' in outcome) return [question.kind, outcome.error];
  const { status, body } = outcome;
  if (status === 503 && body.code === 'overloaded') return null;
  const isRight = status === 200 && isRightOf(question, body);
  return isRight ? null : [question.kind, status, body.decision ?? body.code, body.reasons];
}

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with expectations
function isRightOf({ isGenuine, reasons: expected }: Question, { decision, reasons, policies }: any): boolean {
  if (decision === 'indeterminate') {
    return reasons.length > 0 && reasons.every((reason: string) => LEFT_OPEN.has(reason));
  }
  const isStrict = policies[0].id === 'reports' && policies[0].version % 2 === 0;
  const why = isGenuine && isStrict ? ['snp_tcb_low'] : expected;
  if (why.length === 0) return decision === 'allow' && reasons.length === 0;
  return decision === 'deny' && why.some((reason) => reasons.includes(reason));
}

/** Activities at the same time, until the time is over, and their observations. */
class Soak {
  readonly answers = new Map<string, number>();
  readonly wrong: unknown[] = [];
  readonly heap: (readonly [minute: number, mib: number])[] = [];
  faults = 0;
  reloads = 0;
  readonly #client = new Client(service.url, CLIENTS);
  readonly #begun = performance.now();
  #turn = 0;

  async run(): Promise<void> {
    const asking = Array.from({ length: CLIENTS }, () => this.#askOn());
    await Promise.all([...asking, this.#failOn(), this.#reloadOn(), this.#measureOn()]);
    this.#client.close();
  }

  get #isOver(): boolean {
    return performance.now() > this.#begun + SOAK_S * 1000;
  }

  async #askOn(): Promise<void> {
    while (!this.#isOver) {
      await this.#ask();
      await sleep(PAUSE_MS);
    }
  }

  async #ask(): Promise<void> {
    const question = questions[this.#turn++ % questions.length];
    if (question === undefined) throw new Error('there are no questions');
    const outcome = await this.#client.post('/verify', question.body);
    const problem = problemOf(question, outcome);
    if (problem !== null) this.wrong.push(problem);
    const said = 'status' in outcome ? (outcome.body.decision ?? outcome.body.code) : outcome.error;
    const what = `${question.kind}: ${said}`;
    this.answers.set(what, (this.answers.get(what) ?? 0) + 1);
  }

  async #failOn(): Promise<void> {
    for (; !this.#isOver; this.faults++) {
      questions = makeQuestions();
      const server = await failOneOf([lab.kds, pcs, maa], this.faults);
      await sleep(FAULT_MS);
      await server.heal();
      await sleep(WELL_MS);
    }
  }

  async #reloadOn(): Promise<void> {
    for (; !this.#isOver; this.reloads++) {
      await sleep(RELOAD_MS);
      version += 1;
      await writePolicies();
      service.signal('SIGHUP');
    }
  }

  async #measureOn(): Promise<void> {
    while (!this.#isOver) {
      const { heapUsed } = await service.memory();
      this.heap.push([(performance.now() - this.#begun) / 60_000, heapUsed / MIB]);
      await sleep(MEMORY_MS);
    }
  }
}

/** Another server and another fault each time. */
async function failOneOf(servers: readonly LabServer[], turn: number): Promise<LabServer> {
  const [server, fault] = [servers[turn % servers.length], FAULTS[turn % FAULTS.length]];
  if (server === undefined || fault === undefined) throw new Error('there is no fault');
  server.fail(/./, fault);
  if (turn % 7 === 0) await server.connect('refused');
  if (turn % 11 === 0) await server.connect('tls');
  return server;
}

describe('a service whose vendors fail each second, and that is reloaded', () => {
  it('decides nothing wrong, and works on without a restart', async () => {
    questions = makeQuestions();
    const soak = new Soak();
    await soak.run();
    const { rss } = await service.memory();
    const client = new Client(service.url, 1);
    const ready = await client.get('/readyz');
    client.close();
    service.signal('SIGTERM');
    const end = await service.end();

    const { answers, faults, heap, reloads, wrong } = soak;
    // The first figures are of caches that fill.
    const settled = heap.slice(Math.floor(heap.length / 3));
    report(`Soak: ${SOAK_S} s of mixed evidence, ${faults} faults, ${reloads} reloads`, [
      ...[...answers].map(([what, count]) => `${what.padEnd(40)}${count}`).toSorted(),
      '',
      `heap            ${heap.map(([, mib]) => mib.toFixed(1)).join(' ')} MiB, after a collection each`,
      `heap slope      ${slope(settled).toFixed(2)} MiB a minute, over the last two thirds`,
      `resident        ${(rss / MIB).toFixed(0)} MiB at the end`,
    ]);
    expect(wrong).toEqual([]);
    expect(ready).toMatchObject({ status: 200 });
    expect(end).toEqual({ exitCode: 0, signal: null, stderr: '' });
    // It did judge, and it was kept from judging.
    for (const kind of ['snp', 'tdx', 'maa-token']) expect(answers.get(`${kind}: allow`)).toBeGreaterThan(0);
    expect([...answers.keys()].filter((what) => what.endsWith('indeterminate'))).not.toEqual([]);
  });
});
