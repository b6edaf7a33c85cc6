import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compactDecrypt } from 'jose';
import engine from 'libsql';
import { expect, vi } from 'vitest';
import type { RunningService } from '../../src/app/service.js';
import type { JsonObject } from '../../src/core/json.js';
import { type Answer, call as callOnce } from '../integration/http/exchange.js';
import {
  base64Url,
  call,
  type LabService,
  MovableClock,
  PKI,
  post,
  sha256Hex,
  WITHOUT_ENDORSEMENTS,
} from '../integration/service/lab-service.js';
import { createSnpGuest, flipBit, type SnpGuest } from '../lab/index.js';
import type { ModelEvidence, ModelPolicy, ModelRequest, Verdict } from './service-model.js';

const KEY = 'key-of-the-model-0123456789abcdef';
const HEADERS = { 'x-api-key': KEY };
const SECRET = Buffer.from('the bytes of the disk key');
const PATIENCE = { timeout: 30_000 };
const DEBUG = 1n << 19n;
const GUEST_POLICY = 0x3001fn;
/** Offset of R of the report signature, in bytes. */
const SIGNATURE_OFFSET = 0x2a0;

const WAIVERS = [{ check: 'snp_product_advisory', reason: 'a lab', approver: 'the lab', expires: '2999-01-01' }];

const holder = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const { kty = '', crv = '', x = '', y = '' } = holder.publicKey.export({ format: 'jwk' });
const JWK: JsonObject = { kty, crv, x, y };

/** The two records of a release. */
type ReleaseRecord = 'release-attempt' | 'release-result';

/** A decision that is in the log. */
interface Recorded extends Verdict {
  readonly id: string;
  /** Null if no key was requested. */
  readonly release: 'released' | 'not_attempted' | 'unknown' | null;
}

/** A service in this process. It remembers the decisions that its log must contain. */
export class ModelledService {
  readonly clock = new MovableClock();
  readonly #recorded: Recorded[] = [];
  readonly #lab: LabService;
  readonly #guest: SnpGuest;
  readonly #data: string;
  readonly #lifetimeSeconds: number;
  readonly #challenges: Buffer[] = [];
  #versions = 0;
  #refused: ReleaseRecord | null = null;
  #service: RunningService | null = null;

  constructor(lab: LabService, data: string, lifetimeSeconds: number) {
    this.#lab = lab;
    this.#guest = createSnpGuest({ pki: PKI, platform: lab.vm.platform });
    this.#data = data;
    this.#lifetimeSeconds = lifetimeSeconds;
  }

  async start(): Promise<void> {
    const caller = { apiKeySha256: sha256Hex(KEY), expires: '2999-01-01', roles: ['verify', 'release', 'audit:read'] };
    await writeFile(this.#secretFile, SECRET);
    this.#service = await this.#lab.start(
      {
        challenges: { lifetimeSeconds: this.#lifetimeSeconds },
        // A busy machine has much time.
        deadlineSeconds: 60,
        decisions: { keepEvidence: 'full' },
        callers: { model: { ...caller, keys: ['disk'], policies: ['first', 'second'] } },
        keys: { disk: { local: this.#secretFile, policy: 'disk', anyMachine: true } },
      },
      { clock: this.clock },
      this.#data,
    );
  }

  async close(): Promise<void> {
    await this.#service?.close();
    this.#service = null;
  }

  async restart(): Promise<void> {
    await this.close();
    await this.start();
  }

  async writePolicy(id: string, policy: ModelPolicy): Promise<void> {
    const { measurements, microcode, ...members } = policy;
    this.#versions += 1;
    const text = {
      apiVersion: 'veritee/v1',
      id,
      version: this.#versions,
      ...members,
      minimums: { snp: { Milan: { snp: 0, microcode } } },
      referenceValues: measurements.length === 0 ? [] : [{ snp: { measurement: measurements } }],
      waivers: WAIVERS,
    };
    await this.#lab.writePolicy(JSON.stringify(text));
  }

  reload(): Promise<unknown> {
    return this.#running.reload();
  }

  /** Reloads a changed policy beside a file that is no policy: neither counts. */
  async refuseReload(id: string, next: ModelPolicy, current: ModelPolicy): Promise<void> {
    const file = join(this.#lab.policyFolder, 'broken.json');
    await this.writePolicy(id, next);
    await writeFile(file, '{');
    try {
      await this.#running.reload();
    } finally {
      await rm(file);
      await this.writePolicy(id, current);
    }
  }

  async loseStore(): Promise<void> {
    await rename(this.#storeFile, `${this.#storeFile}.away`);
  }

  async findStore(): Promise<void> {
    await rename(`${this.#storeFile}.away`, this.#storeFile);
  }

  /** Makes the store reject this kind of record; null accepts all. */
  refuseRecords(kind: ReleaseRecord | null): void {
    this.#refused = kind;
    const file = new engine(this.#storeFile, { timeout: 5_000 });
    file.exec('DROP TRIGGER IF EXISTS refused');
    if (kind !== null) {
      file.exec(`CREATE TRIGGER refused BEFORE INSERT ON records WHEN NEW.content LIKE '%"kind":"${kind}"%'
        BEGIN SELECT RAISE(ABORT, 'refused'); END`);
    }
    file.close();
  }

  /** Requests a challenge until the store issues one: after a failure it pauses first. */
  async issue(): Promise<void> {
    await vi.waitFor(async () => expect(await this.#issued()).toBe(200), PATIENCE);
  }

  async refuseToIssue(): Promise<void> {
    expect(await this.#issued()).toBe(503);
  }

  /** Asks for a challenge once. @returns the status */
  async #issued(): Promise<number> {
    const headers = { ...HEADERS, 'content-type': 'application/json' };
    const { status, body } = await callOnce(this.#url, '/challenges', { method: 'POST', headers, body: '{}' });
    if (status === 200) this.#challenges.push(Buffer.from(body.nonce, 'base64url'));
    return status;
  }

  /** @returns decision and reasons of so many equal requests at once */
  async verify(request: ModelRequest, times = 1): Promise<readonly Verdict[]> {
    const body = JSON.stringify({ ...this.#bodyOf(request), policy: request.policy });
    const answers = await Promise.all(Array.from({ length: times }, () => post(this.#url, '/verify', body, HEADERS)));
    return answers.map((answer) => this.#take(answer, null));
  }

  /** Requests the key, and opens it. */
  async release(request: ModelRequest): Promise<{ readonly verdict: Verdict; readonly isOpened: boolean }> {
    const answer = await post(this.#url, '/keys/disk/release', JSON.stringify(this.#bodyOf(request)), HEADERS);
    const { release } = answer.body;
    const verdict = this.#take(answer, release === null ? 'not_attempted' : 'released');
    if (release === null) return { verdict, isOpened: false };
    const { plaintext } = await compactDecrypt(release.value, holder.privateKey);
    expect(Buffer.from(plaintext)).toEqual(SECRET);
    return { verdict, isOpened: true };
  }

  /** Sends a request with changed members, which is refused before it is judged. @returns status and code */
  async refuse(request: ModelRequest, members: object): Promise<readonly [number, string]> {
    const body = { ...this.#bodyOf(request), policy: request.policy, ...members };
    const { status, body: problem } = await post(this.#url, '/verify', JSON.stringify(body), HEADERS);
    return [status, problem.code];
  }

  /** Requires that a decision is in the log as it was answered, and that a replay of it is equal. */
  async look(which: number): Promise<void> {
    const recorded = this.#recorded[which % this.#recorded.length];
    if (recorded === undefined) return;
    await this.#requireRecorded(recorded);
    const again = await post(this.#url, `/decisions/${recorded.id}:replay`, '{"at":"then"}', HEADERS);
    expect(again.body).toMatchObject({ equal: true });
  }

  /** Requires that the log contains exactly the answered decisions, and both records of each release. */
  async lookAtAll(): Promise<void> {
    const logged: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await call(this.#url, `/decisions${next}`, { headers: HEADERS });
      for (const { decisionId, decision } of body.decisions) logged.push(`${decisionId} ${decision}`);
      next = body.next === null ? null : `?cursor=${body.next}`;
    }
    expect(logged.sort()).toEqual(this.#recorded.map(({ id, decision }) => `${id} ${decision}`).sort());
    for (const recorded of this.#recorded.filter(({ release }) => release === 'released')) {
      await this.#requireRecorded(recorded);
    }
  }

  async #requireRecorded({ id, decision, reasons, release }: Recorded): Promise<void> {
    const { body } = await call(this.#url, `/decisions/${id}`, { headers: HEADERS });
    expect(verdictIn(body, release)).toEqual({ decision, reasons });
    expect(body.release?.state ?? null).toBe(release);
    if (release === 'released') expect(body.release.attemptedAt).not.toBeNull();
  }

  #take({ status, body }: Answer, release: Recorded['release']): Verdict {
    if (status !== 200) throw new Error(`no decision: ${status} ${body.code} ${body.detail}`);
    const verdict = verdictIn(body, release);
    const id = body.decisionId;
    if (!verdict.reasons.includes('audit_unavailable')) this.#recorded.push({ ...verdict, id, release });
    // The decision is stored before the attempt, and withheld after it.
    else if (release !== null && this.#refused !== null && verdict.reasons.length === 1) {
      const kept = this.#refused === 'release-attempt' ? 'not_attempted' : 'unknown';
      this.#recorded.push({ decision: 'allow', reasons: [], id, release: kept });
    }
    return verdict;
  }

  #bodyOf({ evidence, nonce, hasKey }: ModelRequest): object {
    const bytes = this.#nonceOf(nonce);
    const jwk = hasKey ? JWK : null;
    const bound = evidence.isBound ? bytes : randomBytes(32);
    return {
      evidence: this.#evidenceOf(evidence, bound, jwk),
      ...(bytes === null ? {} : { nonce: base64Url(bytes) }),
      ...(jwk === null ? {} : { binding: { jwk } }),
    };
  }

  #nonceOf(nonce: ModelRequest['nonce']): Buffer | null {
    if (nonce === 'none') return null;
    if (nonce === 'own') return randomBytes(32);
    const bytes = this.#challenges[nonce.challenge];
    if (bytes === undefined) throw new Error(`no challenge ${nonce.challenge}`);
    return bytes;
  }

  #evidenceOf(evidence: ModelEvidence, nonce: Uint8Array | null, jwk: JsonObject | null): JsonObject {
    const { type, isSigned, isDebug, measurement } = evidence;
    const fields = {
      policy: isDebug ? GUEST_POLICY | DEBUG : GUEST_POLICY,
      measurement: Buffer.from(measurement, 'hex'),
    };
    const afterSigning = (report: Uint8Array) => (isSigned ? report : flipBit(report, SIGNATURE_OFFSET));
    const from = type === 'snp' ? this.#guest : this.#lab.vm;
    return from.wireEvidence({
      ...(nonce === null ? {} : { nonce }),
      jwk,
      report: { fields, afterSigning },
      endorsements: WITHOUT_ENDORSEMENTS,
    });
  }

  get #running(): RunningService {
    if (this.#service === null) throw new Error('the service is not running');
    return this.#service;
  }

  get #url(): string {
    return this.#running.url;
  }

  get #storeFile(): string {
    return join(this.#lab.root, this.#data, 'veritee.db');
  }

  get #secretFile(): string {
    return join(this.#lab.root, 'disk.key');
  }
}

/** Leaves out the reasons that a request for a key adds to those of a deny. */
function verdictIn({ decision, reasons }: Verdict, release: Recorded['release']): Verdict {
  const isOfModel = (reason: string) => release === null || !reason.startsWith('release_');
  return { decision, reasons: reasons.filter(isOfModel).sort() };
}
