import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { makeMaterial } from '../bench/material.js';
import type { Material } from '../bench/protocol.js';

/** A request, and what has to come of it. */
export interface Question {
  readonly body: string;
  readonly decision: 'allow' | 'deny';
  readonly reasons: readonly string[];
}

type HardwareType = keyof typeof MEASUREMENT | 'tdx';

/** Where the launch measurement is: in the report (AMD 56860, table 23), and in the paravisor's around it. */
const MEASUREMENT = { snp: { member: 'report', at: 0x90 }, 'az-snp-vtpm': { member: 'hclReport', at: 0x20 + 0x90 } };

/** Guests of the lab, and a configured service that knows their roots. */
export class Lab {
  readonly folder: string;
  /** Genuine ones and tampered ones of each type in turn. Each has a nonce of its own. */
  readonly questions: readonly Question[];
  readonly #material: Material;

  private constructor(folder: string, material: Material) {
    this.folder = folder;
    this.#material = material;
    this.questions = material.bodies.snp.flatMap((body, index) => [
      genuine(body),
      tampered(body, 'snp'),
      ...[material.bodies['az-snp-vtpm'][index]].flatMap((azure) =>
        azure === undefined ? [] : [genuine(azure), tampered(azure, 'az-snp-vtpm')],
      ),
    ]);
  }

  static async create(): Promise<Lab> {
    const folder = await mkdtemp(join(tmpdir(), 'veritee-lab-'));
    const lab = new Lab(folder, await makeMaterial(folder));
    const { amdPins, intelPins } = lab.#material.service;
    await writeFile(join(folder, 'pins.json'), JSON.stringify({ amd: amdPins, intel: intelPins }));
    await mkdir(join(folder, 'work'));
    return lab;
  }

  get policyFolder(): string {
    return join(this.folder, 'policies');
  }

  /** Where the services run and write. */
  get workFolder(): string {
    return join(this.folder, 'work');
  }

  /** Genuine bodies of a type. */
  bodies(type: HardwareType): readonly string[] {
    return this.#material.bodies[type];
  }

  /** The command of a service with these keys in its configuration, beside those of the lab. */
  async command(keys: object = {}, options: readonly string[] = []): Promise<readonly string[]> {
    const configuration = {
      listen: { port: 0 },
      amd: { kds: 'off', chains: join(this.folder, 'chains') },
      policies: { directory: this.policyFolder },
      ...keys,
    };
    const file = join(this.folder, 'veritee.json');
    await writeFile(file, JSON.stringify(configuration));
    const entry = join(inject('installation'), 'dist/lab-main.js');
    return [
      process.execPath,
      '--disable-proto=delete',
      '--max-semi-space-size=64',
      ...options,
      entry,
      file,
      join(this.folder, 'pins.json'),
    ];
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

function genuine(body: string): Question {
  return { body, decision: 'allow', reasons: [] };
}

function tampered(body: string, type: keyof typeof MEASUREMENT): Question {
  const { member, at } = MEASUREMENT[type];
  const request = JSON.parse(body);
  const bytes = Buffer.from(request.evidence[member], 'base64url');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  request.evidence[member] = bytes.toString('base64url');
  return { body: JSON.stringify(request), decision: 'deny', reasons: ['snp_signature'] };
}
