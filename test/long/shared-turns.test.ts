import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../src/composition/service.js';
import { LabService, lenientPolicy, PKI, post, sha256Hex, verdictOf } from '../integration/service/lab-service.js';
import { isWithoutValkey, Valkey } from '../integration/stores/valkey.js';
import { createSnpGuest, type SnpGuest } from '../lab/index.js';
import { p256 } from '../unit/results/keys.js';

/** Some thirty seconds of turns, of which a busy machine makes more. */
const LIMIT_MS = 300_000;

const REPLICAS = 10;
const CHIPS = 200;
/** AMD's ten seconds, scaled by a hundred. */
const AMD_PAUSE_MS = 100;
const HONEST = ['one', 'two', 'three', 'four'];
const ATTACKER = 'attacker';
/** Requests that the attacker has under way at every moment. */
const ATTACKS = 20;

const keyOf = (name: string) => `${name}-`.padEnd(43, 'k');
const headersOf = (name: string) => ({ 'x-api-key': keyOf(name) });
/** Another one in each run: nothing of an earlier run is to be found. */
const newChip = () => randomBytes(64);

let lab: LabService;
let valkey: Valkey;
let services: readonly RunningService[] = [];

/** Evidence without anything that endorses it: its VCEK has to be found. */
function bodyOf(guest: SnpGuest): string {
  const endorsements = { vek: null, chain: null, crls: [] };
  return JSON.stringify({ evidence: guest.wireEvidence({ endorsements }), policy: 'genuine' });
}

function serviceAt(index: number): RunningService {
  const service = services[index % services.length];
  if (service === undefined) throw new Error('no service');
  return service;
}

/** Asks one replica after the other until the VCEK was to be had, as a gate does. */
async function allowedAt(first: number, caller: string, body: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const verdict = verdictOf(await post(serviceAt(first + attempt).url, '/verify', body, headersOf(caller)));
    if (verdict[0] === 'allow') return;
    // What was to be had in time is another matter on a busy machine.
    expect(verdict[0]).toBe('indeterminate');
    await sleep(100);
  }
}

/** Reports of chips that there are not, each another one, until it is told to stop. */
async function inventChips(template: Uint8Array, stop: AbortSignal): Promise<void> {
  for (let index = 0; !stop.aborted; index += 1) {
    const report = Buffer.from(template);
    randomBytes(64).copy(report, 0x1a0);
    const evidence = { type: 'snp', report: report.toString('base64url') };
    const body = JSON.stringify({ evidence, policy: 'genuine' });
    const [decision] = verdictOf(await post(serviceAt(index).url, '/verify', body, headersOf(ATTACKER)));
    expect(decision).not.toBe('allow');
    // Those that are turned away come back: all is one process here, which they must not keep busy by that.
    await sleep(500);
  }
}

describe.skipIf(isWithoutValkey('ten replicas that take turns at AMD'))('ten replicas', () => {
  beforeAll(async () => {
    lab = await LabService.create();
    await lab.writePolicy(lenientPolicy('genuine'));
    valkey = await Valkey.start();
    const key = join(lab.root, 'challenges.key');
    await writeFile(key, randomBytes(32));
    const receipts = join(lab.root, 'receipts.pem');
    await writeFile(receipts, p256().export({ type: 'pkcs8', format: 'pem' }));
    const caller = (name: string) => ({
      apiKeySha256: sha256Hex(keyOf(name)),
      roles: ['verify'],
      policies: ['genuine'],
      expires: '2099-01-31',
    });
    const configuration = {
      callers: Object.fromEntries([...HONEST, ATTACKER].map((name) => [name, caller(name)])),
      challenges: { store: valkey.url, key },
      receipts: { key: receipts },
      log: { level: 'warn' },
      // Longer than a busy machine takes for what is not a matter of turns.
      deadlineSeconds: 20,
    };
    // An answer of AMD that a busy machine reads late has to be asked for again: that is not what this is about either.
    const world = { sharing: { spacingMs: AMD_PAUSE_MS }, amdTuning: { attemptTimeoutMs: 15_000 } };
    services = await Promise.all(
      Array.from({ length: REPLICAS }, (_, index) => lab.start(configuration, world, `replica-${index}`)),
    );
  });

  afterAll(async () => {
    await lab.close();
    await valkey.close();
  });

  it(
    'fetch the VCEKs of 200 chips once each, and a caller with invented chips holds up nobody',
    async () => {
      const guests = Array.from({ length: CHIPS }, () => createSnpGuest({ pki: PKI, chipId: newChip() }));
      for (const { platform } of guests) {
        lab.kds.serveVcek(platform.product, platform.chipId, platform.tcb, platform.vek.der);
      }
      // A little less than the replicas leave between two: how long an answer takes is not what this is about.
      lab.kds.throttleVceks(AMD_PAUSE_MS * 0.9);
      const stop = new AbortController();
      const [template] = guests;
      if (template === undefined) throw new Error('no guest');
      const report = template.platform.report();
      const attacks = Array.from({ length: ATTACKS }, () => inventChips(report, stop.signal));
      try {
        await Promise.all(
          guests.map((guest, index) => allowedAt(index, HONEST[index % HONEST.length] ?? '', bodyOf(guest))),
        );
      } finally {
        stop.abort();
        await Promise.all(attacks);
      }
      const { answered, throttled } = lab.kds.vceks;
      const genuine = new Set(guests.map(({ platform }) => Buffer.from(platform.chipId).toString('hex')));
      const isOfGuest = (url: string) => genuine.has(/[0-9a-f]{128}/.exec(url)?.[0] ?? '');
      const ofGuests = answered.filter(isOfGuest);
      expect(ofGuests).toHaveLength(CHIPS);
      expect(new Set(ofGuests).size).toBe(CHIPS);
      // Of five callers one: more than a third of all turns it has only where others have nothing to ask for, as after the last guest.
      const invented = answered.findLastIndex(isOfGuest) + 1 - CHIPS;
      process.stdout.write(
        `turns: ${CHIPS} of four callers, ${invented} of one that invents; ${throttled} answered 429\n`,
      );
      expect(invented).toBeGreaterThan(0);
      expect(invented).toBeLessThan(CHIPS / 2);
    },
    LIMIT_MS,
  );
});
