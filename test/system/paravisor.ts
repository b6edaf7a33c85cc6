import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '../../src/core/json.js';
import { type AmdPki, azureKey, createVirtualMachine, type SnpPlatform, type VirtualMachine } from '../lab/index.js';
import type { SoftwareTpm } from './software-tpm.js';

const REPORT = '0x01400001';
const USER_DATA = '0x01400002';
/** swtpm refuses a larger index. Azure's has 2600 bytes. */
const LARGEST_INDEX = 2048;
const USER_DATA_LENGTH = 64;
const LOOK_MS = 100;

/** The work of Azure's paravisor for the guest: puts a new report into the TPM once the guest has written user data. */
export class Paravisor {
  /** Public JWK of the attestation key. */
  readonly vtpmKey: JsonObject;
  readonly #machine: VirtualMachine;
  readonly #tpm: SoftwareTpm;
  readonly #stop = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(machine: VirtualMachine, vtpmKey: JsonObject, tpm: SoftwareTpm) {
    this.vtpmKey = vtpmKey;
    this.#machine = machine;
    this.#tpm = tpm;
  }

  /** Boots a VM with a TPM that is new: makes its attestation key, and the first report. */
  static async boot(pki: AmdPki, platform: SnpPlatform, tpm: SoftwareTpm): Promise<Paravisor> {
    const ak = await tpm.createAttestationKey();
    // The second key and most of the configuration are left out, so that the report fits into an index of swtpm.
    const claims = {
      keys: [azureKey('HCLAkPub', ['sign'], ak)],
      vmConfiguration: null,
      more: { 'vm-configuration': { 'secure-boot': true, 'tpm-enabled': true } },
    };
    const machine = await createVirtualMachine({ pki, platform, claims });
    const paravisor = new Paravisor(machine, ak, tpm);
    await tpm.extend(0, 1, 2, 3, 4, 5, 6, 7, 9, 11);
    await tpm.define(REPORT, LARGEST_INDEX);
    await tpm.write(REPORT, paravisor.report(new Uint8Array(USER_DATA_LENGTH)));
    paravisor.#watching = paravisor.#watch();
    return paravisor;
  }

  /** A report as the guest reads it, filled with zeros to the size of its index. */
  report(userData: Uint8Array, size = LARGEST_INDEX): Uint8Array {
    const report = new Uint8Array(size);
    report.set(this.#machine.hclReport({ claims: { userData }, hcl: { padding: new Uint8Array() } }));
    return report;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    let seen = '';
    while (!this.#stop.signal.aborted) {
      const userData = await this.#userData();
      if (userData !== null && userData.toString('hex') !== seen) {
        seen = userData.toString('hex');
        await this.#tpm.write(REPORT, this.report(userData));
      }
      await sleep(LOOK_MS);
    }
  }

  /** Null where the guest has not written any. */
  #userData(): Promise<Buffer | null> {
    return this.#tpm.read(USER_DATA).catch(() => null);
  }
}
