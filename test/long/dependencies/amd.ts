import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningService } from '../../../src/app/service.js';
import { LabService, lenientPolicy, PKI } from '../../integration/service/lab-service.js';
import { type Asked, askFor, type Holding, HttpDependency } from '../dependency.js';
import { DEADLINE_SECONDS } from '../matrix-settings.js';
import type { Timing } from '../timing.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A service, and AMD's KDS for it. */
abstract class Kds extends HttpDependency {
  protected readonly lab: LabService;
  #services = 0;

  protected constructor(lab: LabService, on: RegExp) {
    super(lab.kds, on);
    this.lab = lab;
  }

  protected abstract get evidence(): Parameters<LabService['verifyBody']>[0];

  async ask(timing: Timing): Promise<Asked> {
    return askFor(timing, this.service, {
      ...JSON.parse(this.lab.verifyBody(this.evidence)),
      policy: 'reports',
    });
  }

  async stop(): Promise<void> {
    await this.lab.stop();
  }

  async close(): Promise<void> {
    await this.lab.close();
  }

  protected async open(): Promise<RunningService> {
    this.#services += 1;
    const world = { clock: this.clock, connect: { ca: this.lab.kds.authorityPem, lookup: this.lookup } };
    return this.lab.start({ deadlineSeconds: DEADLINE_SECONDS }, world, `service-${this.#services}`);
  }

  protected day(days: number, from = this.clock.now()): Date {
    return new Date(from.getTime() + days * DAY_MS);
  }
}

/** VCEKs. Chain and CRL are the operator's. */
export class KdsCertificates extends Kds {
  readonly holdings: readonly Holding[] = [
    { label: 'AMD KDS certificates: nothing', ageMs: 0 },
    { label: 'AMD KDS certificates: the VCEK', ageMs: 30 * DAY_MS },
  ];
  protected readonly evidence = {};

  static async create(): Promise<KdsCertificates> {
    const lab = await LabService.create();
    await lab.writePolicy(lenientPolicy('reports'));
    const { platform } = lab.vm;
    await writeFile(join(lab.chainFolder, 'chain.pem'), platform.chain);
    await writeFile(join(lab.chainFolder, 'list.crl'), platform.crl);
    return new KdsCertificates(lab, /SPL/);
  }

  protected serve(): void {
    this.#serve(this.lab.vm.platform.vek.der);
  }

  protected serveStale(): void {
    const { product, chipId, tcb } = this.lab.vm.platform;
    this.#serve(PKI.issueVcek({ product, chipId, tcb: { ...tcb, microcode: tcb.microcode - 1 } }).der);
  }

  protected serveEarly(askedAt: Date): void {
    const { product, chipId, tcb, vek } = this.lab.vm.platform;
    this.#serve(
      PKI.issueVcek({ product, chipId, tcb, key: vek.key, overrides: { notBefore: this.day(1, askedAt) } }).der,
    );
  }

  #serve(der: Uint8Array): void {
    const { product, chipId, tcb } = this.lab.vm.platform;
    this.lab.kds.serveVcek(product, chipId, tcb, der);
  }
}

/** CRLs. The request brings all else. */
export class KdsCrl extends Kds {
  readonly holdings: readonly Holding[] = [
    { label: 'AMD CRL: nothing', ageMs: 0 },
    { label: 'AMD CRL: a current list', ageMs: 30 * HOUR_MS },
    { label: 'AMD CRL: a list that has ended', ageMs: 20 * DAY_MS },
  ];
  protected readonly evidence = { endorsements: { crls: [] } };
  #number = 0;

  static async create(): Promise<KdsCrl> {
    const lab = await LabService.create();
    await lab.writePolicy(lenientPolicy('reports'));
    return new KdsCrl(lab, /crl/);
  }

  protected serve(): void {
    this.#serve(-1, 10);
  }

  protected serveStale(): void {
    this.#serve(-10, -1);
  }

  protected serveEarly(askedAt: Date): void {
    this.#serve(1, 10, askedAt);
  }

  #serve(from: number, to: number, now?: Date): void {
    this.#number += 1;
    const overrides = { thisUpdate: this.day(from, now), nextUpdate: this.day(to, now) };
    const { product } = this.lab.vm.platform;
    this.lab.kds.serveCrl(product, 'vcek', PKI.issueCrl({ product, number: this.#number, overrides }));
  }
}
