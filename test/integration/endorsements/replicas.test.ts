import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EntrySeal, type EntrySubject } from '../../../src/endorsements/replicas/sealed-entries.js';
import { hex } from '../../../src/model/bytes.js';
import type { SnpEndorsementSet } from '../../../src/model/endorsement.js';
import type { SharingLimits } from '../../../src/stores/redis/redis-endorsement-store.js';
import { KEY, PATIENT } from '../stores/shared-challenges.js';
import { SharingReplicas } from '../stores/shared-endorsements.js';
import { isWithoutValkey, Valkey } from '../stores/valkey.js';
import {
  AmdLab,
  CHIP,
  DAY_MS,
  find,
  issueCrl,
  type Opened,
  pki,
  requestFor,
  SUPPLIED_VCEK,
  summary,
  TCB,
  VCEK,
} from './amd-lab.js';
import { fmspc, IntelLab } from './intel-lab.js';

const ENTRIES = '{veritee}:endorsements:entries';
const OTHER_CHIP = CHIP.map((byte) => byte ^ 0xff);
const OTHER = requestFor({ chipId: OTHER_CHIP });
/** CRLs by their numbers, each signed once. */
const CRLS = new Map([5, 6, 999].map((number) => [number, issueCrl(number, -1, 300)]));
const [FETCHED, OF_OTHERS] = [
  { vek: 'network', chain: 'network', crl: 'network' },
  { vek: 'cache', chain: 'cache', crl: 'cache' },
];

const replicas = new SharingReplicas();
const seal = new EntrySeal(KEY);
let valkey: Valkey;
let lab: AmdLab;
let opened = 0;

/** A replica with a cache folder of its own. */
async function replica(
  limits: Partial<SharingLimits> = {},
  name = `cache-${++opened}`,
  tuning: Parameters<AmdLab['open']>[1] = {},
): Promise<Opened> {
  const shared = await replicas.fetches(valkey.port, { clock: lab.clock, limits });
  return lab.open({ shared, cacheFolder: lab.path(name) }, tuning);
}

const asked = (path: RegExp) => lab.kds.count(path);
const subject = (kind: EntrySubject['kind'], key: string): EntrySubject => ({ kind, origin: lab.kds.origin, key });
const CRL_PATH = '/vcek/v1/Milan/crl';

const insert = (what: EntrySubject, bytes: Uint8Array | null, fetchedAt = lab.clock.now()) =>
  replicas.insert(valkey.port, what, { bytes, fetchedAt });

function crl(number: number): Uint8Array {
  const der = CRLS.get(number);
  if (der === undefined) throw new Error('no such CRL');
  return der;
}

/** Where the CRL is from, and its number. */
function ofCrl({ crls }: SnpEndorsementSet): readonly unknown[] {
  const found = crls.get('Milan');
  const isSame = ([, der]: readonly [number, Uint8Array]) => found !== undefined && hex(der) === hex(found.value.der);
  return [found?.origin, [...CRLS].find(isSame)?.[0]];
}

function ofVek(vek: SnpEndorsementSet['vek']): readonly unknown[] {
  return vek === null || 'code' in vek ? [vek?.code] : [vek.origin, hex(vek.value.der)];
}

/** How many scripts the store has run, once nobody asks it anything. */
async function scriptsRun(): Promise<number> {
  const count = async () =>
    Number(/cmdstat_eval:calls=(\d+)/.exec(String(await valkey.command('info', 'commandstats')))?.[1]);
  for (let before = await count(); ; ) {
    await sleep(50);
    const now = await count();
    if (now === before) return now;
    before = now;
  }
}

/** Everything that is shared, changed. */
async function spoilAll(): Promise<void> {
  for (const id of (await valkey.command('hkeys', ENTRIES)) as string[]) {
    await valkey.command('hset', ENTRIES, id, randomBytes(500).toString('latin1'));
  }
}

describe.skipIf(isWithoutValkey('replicas that share endorsements'))('replicas that share endorsements', () => {
  beforeAll(async () => {
    valkey = await Valkey.start();
  });

  beforeEach(async () => {
    await valkey.command('flushall');
    lab = await AmdLab.start();
    const other = pki.issueVcek({ product: 'Milan', chipId: OTHER_CHIP, tcb: TCB }).der;
    lab.kds.serveVcek('Milan', OTHER_CHIP, TCB, other);
  });

  afterEach(async () => {
    await lab.close();
    await replicas.close();
  });

  afterAll(() => valkey.close());

  it('ask AMD once for each VCEK, chain and CRL, all at the same moment', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => replica()));
    const found = await Promise.all(all.map((one) => find(one)));
    expect(found.map((set) => summary(set).vek).sort()).toEqual([...Array(9).fill('cache'), 'network']);
    expect(found.every(({ chains, crls }) => chains.size === 1 && crls.size === 1)).toBe(true);
    expect([asked(/SPL/), asked(/cert_chain/), asked(/crl/)]).toEqual([1, 1, 1]);
  });

  it('have what another one fetched before they were there, also while AMD does not answer', async () => {
    expect(summary(await find(await replica()))).toEqual(FETCHED);
    await lab.kds.connect('refused');
    expect(summary(await find(await replica()))).toEqual(OF_OTHERS);
  });

  it('keep what they share in their own caches too', async () => {
    await find(await replica());
    await find(await replica({}, 'own'));
    await valkey.command('flushall');
    await lab.kds.connect('refused');
    expect(summary(await find(await replica({}, 'own')))).toEqual(OF_OTHERS);
  });

  it('ask AMD once for a chip that it does not know', async () => {
    const unknown = requestFor({ chipId: CHIP.map((byte) => byte ^ 0x0f) });
    for (const one of [await replica(), await replica(), await replica()]) {
      expect((await find(one, unknown)).vek).toMatchObject({ code: 'vcek_unavailable', retryable: false });
    }
    expect(asked(/SPL/)).toBe(1);
  });

  it('ask AMD themselves where everything in the store was changed', async () => {
    await find(await replica());
    await spoilAll();
    expect(summary(await find(await replica()))).toEqual(FETCHED);
    // What was changed is replaced.
    expect(summary(await find(await replica()))).toEqual(OF_OTHERS);
  });

  it('never judge by the VCEK of another chip, whoever puts it there', async () => {
    const one = await replica();
    await find(one);
    const path = lab.kds.requests.find((url) => /SPL/.test(url)) ?? '';
    await insert(subject('vcek', path), pki.issueVcek({ product: 'Milan', chipId: OTHER_CHIP, tcb: TCB }).der);
    const { vek } = await find(await replica());
    expect(ofVek(vek)).toEqual(['network', hex(VCEK)]);
  });

  it('never judge by a VCEK that AMD did not sign, whoever puts it there', async () => {
    await find(await replica());
    const path = lab.kds.requests.find((url) => /SPL/.test(url)) ?? '';
    const self = VCEK.map((byte, index) => (index === VCEK.length - 1 ? byte ^ 1 : byte));
    await insert(subject('vcek', path), self);
    const { vek } = await find(await replica());
    expect(ofVek(vek)).toEqual(['network', hex(VCEK)]);
  });

  it('renew a CRL once a day for all', async () => {
    const [one, other] = [await replica(), await replica()];
    await find(one);
    await find(other);
    lab.clock.advance(DAY_MS);
    await one.refreshDue();
    await other.refreshDue();
    expect(asked(/crl/)).toBe(2);
  });

  it('CRT-10 let no list of a request stand in for AMD where the store alone has them wait', async () => {
    const store = await replicas.store(valkey.port);
    const id = seal.id(subject('crl', CRL_PATH));
    const held = await store.ask({ id, unwanted: 'any', leaseMs: 15_000 });
    expect(held.state).toBe('lead');
    const replicaOfNow = await replica();
    // AMD answers meanwhile: the replica asks for itself in the end.
    expect(ofCrl(await find(replicaOfNow))[0]).toBe('network');
    expect(asked(/crl/)).toBe(1);
  });

  it('CRT-10 let no list of a request stand in where nobody had time to ask AMD, at the word of the store', async () => {
    const store = await replicas.store(valkey.port);
    // Everything but the list is at hand, so that the request waits for the store alone.
    await lab.fill({ 'chain.pem': pki.chainPem('Milan') });
    const one = await replica();
    await one.ready;
    const held = await store.ask({ id: seal.id(subject('crl', CRL_PATH)), unwanted: 'any', leaseMs: 15_000 });
    expect(held.state).toBe('lead');
    // The store may have it wait for a second. A machine so busy that its time is over before comes to the same.
    const request = requestFor({ supplied: { vek: SUPPLIED_VCEK, chain: true, crls: true } });
    const { crlProblems } = await find(one, request, { signal: AbortSignal.timeout(400) });
    expect(asked(/crl/)).toBe(0);
    const problem = crlProblems.get('Milan');
    expect(problem).toMatchObject({ code: 'crl_unavailable', retryable: true });
    const list = { number: 99n, thisUpdate: lab.clock.now(), der: issueCrl(99, 0, 60) };
    expect(problem?.mayStandIn(list)).toBe(false);
  });

  it('CRT-09 do not go below their own floor where the store goes back to before', async () => {
    const one = await replica({}, 'floor');
    lab.kds.serveCrl('Milan', 'vcek', crl(6));
    await find(one);
    lab.clock.advance(DAY_MS);
    // With the key too, and as if it had been fetched just now.
    await insert(subject('crl', CRL_PATH), crl(5));
    await one.refreshDue();
    expect(asked(/crl/)).toBe(2);
    expect(ofCrl(await find(one))[1]).toBe(6);
    await insert(subject('crl', CRL_PATH), crl(5));
    await lab.kds.connect('refused');
    // Nor does one that was started anew: its floor is on its disk.
    const again = await replica({}, 'floor');
    expect(ofCrl(await find(again, requestFor(), { at: lab.clock.now() }))[1]).toBe(6);
  });

  it('CRT-09 take the floor of another one with the CRL that raised it', async () => {
    lab.kds.serveCrl('Milan', 'vcek', crl(6));
    await find(await replica());
    const other = await replica({}, 'floor');
    await find(other);
    await valkey.command('flushall');
    lab.kds.serveCrl('Milan', 'vcek', crl(5));
    lab.clock.advance(DAY_MS);
    await other.refreshDue();
    const found = await find(other, requestFor(), { at: lab.clock.now() });
    expect(ofCrl(found)[1]).toBe(6);
  });

  it('CRT-09 raise no floor by a CRL that AMD did not sign, not even for somebody with the key', async () => {
    const forged = Buffer.from(crl(999));
    const last = forged.length - 1;
    forged[last] = (forged[last] ?? 0) ^ 1;
    await insert(subject('crl', CRL_PATH), forged);
    lab.kds.serveCrl('Milan', 'vcek', crl(5));
    const found = await find(await replica());
    expect(ofCrl(found)).toEqual(['network', 5]);
  });

  it('do not take an old fetch for a new one: AMD is asked again', async () => {
    await insert(subject('crl', CRL_PATH), crl(5), new Date(lab.clock.now().getTime() - DAY_MS));
    lab.kds.serveCrl('Milan', 'vcek', crl(6));
    const found = await find(await replica());
    expect(ofCrl(found)).toEqual(['network', 6]);
  });

  it('use it where AMD does not answer', async () => {
    await insert(subject('crl', CRL_PATH), crl(5), new Date(lab.clock.now().getTime() - DAY_MS));
    lab.kds.fail(/crl/, { status: 500 });
    const found = await find(await replica());
    expect(ofCrl(found)).toEqual(['cache', 5]);
  });

  it('fetch a VCEK whose turn comes when the request has ended, for the next one', async () => {
    const one = await replica({ spacingMs: 50 });
    lab.kds.fail(/SPL/, { status: 429 }, 1);
    const over = new AbortController();
    const first = find(one, requestFor(), { signal: over.signal });
    await vi.waitFor(() => expect(asked(/SPL/)).toBe(1), PATIENT);
    over.abort();
    expect(summary(await first).vek).toBe('vcek_unavailable');
    await vi.waitFor(() => expect(asked(/SPL/)).toBe(2), PATIENT);
    await vi.waitFor(async () => expect(summary(await find(one)).vek).toBe('cache'), PATIENT);
    expect(asked(/SPL/)).toBe(2);
  });

  it('share nothing of a request about the past but the turn', async () => {
    await find(await replica(), requestFor(), { historical: true });
    expect(await valkey.command('hlen', ENTRIES)).toBe(0);
    await find(await replica());
    expect(asked(/SPL/)).toBe(2);
  });

  it('ask the store for nothing that is at hand', async () => {
    const one = await replica();
    await find(one);
    const before = await scriptsRun();
    expect(before).toBeGreaterThan(0);
    expect(summary(await find(one)).vek).toBe('cache');
    expect(await scriptsRun()).toBe(before);
  });

  describe('and lose the store', () => {
    it('ask AMD for chains and CRLs themselves, and for no VCEK that is not at hand', async () => {
      const server = await Valkey.start();
      try {
        const shared = await replicas.fetches(server.port, { clock: lab.clock });
        const one = lab.open({ shared, cacheFolder: lab.path('lost') });
        await find(one);
        await server.kill();
        expect(summary(await find(one)).vek).toBe('cache');
        const { vek } = await find(one, OTHER);
        expect(vek).toMatchObject({ code: 'vcek_unavailable', retryable: true, detail: /out of reach/ });
        expect(asked(/SPL/)).toBe(1);
        lab.clock.advance(DAY_MS);
        await one.refreshDue();
        expect(asked(/crl/)).toBe(2);
        await server.run();
        await vi.waitFor(async () => expect(summary(await find(one, OTHER)).vek).toBe('network'), PATIENT);
      } finally {
        await replicas.close();
        await server.close();
      }
    });
  });
});

describe.skipIf(isWithoutValkey('replicas that share collateral'))('replicas that share collateral', () => {
  let intel: IntelLab;
  let server: Valkey;

  beforeAll(async () => {
    server = await Valkey.start();
  });

  beforeEach(async () => {
    await server.command('flushall');
    intel = await IntelLab.start();
  });

  afterEach(async () => {
    await intel.close();
    await replicas.close();
  });

  afterAll(() => server.close());

  async function replicaOfIntel(name: string) {
    const shared = await replicas.fetches(server.port, { clock: intel.clock });
    return intel.open({ shared, cacheFolder: intel.path(name) });
  }

  const tcbAsked = () => intel.pcs.count(/\/tcb\?/);

  it('ask Intel once for each platform', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, (_, index) => replicaOfIntel(`cache-${index}`)));
    const told = await Promise.all(all.map((one) => intel.told(one)));
    expect(new Set(told.map((text) => text.split(' ')[1])).size).toBe(1);
    expect(tcbAsked()).toBe(1);
    // What Intel gave another replica confirms it here too.
    await intel.pcs.connect('refused');
    const found = await intel.find(await replicaOfIntel('later'));
    expect(found).toMatchObject({ origin: 'cache' });
    expect(found).not.toHaveProperty('unconfirmed');
  });

  it('ask Intel once for a platform that it does not know', async () => {
    const request = { fmspc: fmspc === '00906ed50000' ? '10906ed50000' : '00906ed50000' };
    for (const name of ['a', 'b']) {
      const found = await intel.find(await replicaOfIntel(name), { request });
      expect(found).toMatchObject({ code: 'collateral_unavailable', retryable: false });
    }
    expect(tcbAsked()).toBe(1);
  });

  it('renew a set once for all', async () => {
    const [one, other] = [await replicaOfIntel('one'), await replicaOfIntel('other')];
    await intel.find(one);
    await intel.find(other);
    intel.clock.advance(DAY_MS);
    intel.serve();
    await one.refreshDue();
    await other.refreshDue();
    expect(tcbAsked()).toBe(2);
  });

  it('ask Intel themselves where what is shared was changed', async () => {
    const told = await intel.told(await replicaOfIntel('one'));
    const entries = (await server.command('hkeys', ENTRIES)) as string[];
    expect(entries).toHaveLength(1);
    await server.command('hset', ENTRIES, entries[0] ?? '', 'x'.repeat(100));
    expect(await intel.told(await replicaOfIntel('fresh'))).toBe(told);
    expect(tcbAsked()).toBe(2);
  });
});
