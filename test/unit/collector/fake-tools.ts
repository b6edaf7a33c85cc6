import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunTool, ToolEnd } from '../../../src/collector/tool-run.js';
import { buildTpmtSignature, VirtualTpm } from '../../lab/index.js';

const USER_DATA = 0x01400002;
const REPORT = 0x01400001;

interface Index {
  readonly size: number;
  /** Null until it is written. */
  bytes: Uint8Array | null;
}

/** tpm2-tools on a virtual TPM, without a process: what the collector asks of them, and faults of each. */
export class FakeTools {
  readonly vtpm: VirtualTpm;
  readonly nv = new Map<number, Index>();
  /** Programs and arguments, in order. */
  readonly calls: string[] = [];
  /** The end of a program in place of its work. */
  readonly faults = new Map<string, Partial<ToolEnd>>();
  hasAttestationKey = true;
  /** During how many quotes a PCR is extended, after the quote is made. */
  extendedDuring = 0;

  constructor(vtpm: VirtualTpm) {
    this.vtpm = vtpm;
  }

  static async create(): Promise<FakeTools> {
    return new FakeTools(await VirtualTpm.create());
  }

  /** A paravisor that makes a report whenever its index is read. */
  serveReports(reportWith: (userData: Uint8Array) => Uint8Array): void {
    const report = () => reportWith(this.nv.get(USER_DATA)?.bytes?.slice(0, 64) ?? new Uint8Array(64));
    this.nv.set(REPORT, {
      size: 2600,
      get bytes() {
        return report();
      },
    });
  }

  write(index: number, bytes: Uint8Array): void {
    this.nv.set(index, { size: bytes.byteLength, bytes });
  }

  readonly run: RunTool = async (program, args, folder) => {
    this.calls.push([program, ...args].join(' '));
    const fault = this.faults.get(program);
    if (fault !== undefined) return { exitCode: 1, stdout: new Uint8Array(), stderr: '', ...fault };
    return { exitCode: 0, stdout: await this.#answer(program, args, folder), stderr: '' };
  };

  async #answer(program: string, args: readonly string[], folder: string): Promise<Uint8Array> {
    const option = (name: string) => args[args.indexOf(name) + 1] ?? '';
    const index = Number(args.at(-1));
    switch (program) {
      case 'tpm2_nvreadpublic':
        return Buffer.from([...this.nv].map(publicOf).join('\n'));
      case 'tpm2_getcap':
        return Buffer.from(this.hasAttestationKey ? '- 0x81000001\n- 0x81000003\n' : '- 0x81000001\n');
      case 'tpm2_nvread':
        return this.#index(index).bytes ?? new Uint8Array();
      case 'tpm2_nvwrite':
        this.#index(index).bytes = await readFile(join(folder, option('-i')));
        return new Uint8Array();
      case 'tpm2_nvdefine':
        this.nv.set(index, { size: Number(option('-s')), bytes: null });
        return new Uint8Array();
      case 'tpm2_nvundefine':
        this.nv.delete(index);
        return new Uint8Array();
      case 'tpm2_quote':
        await this.#quote(option, folder);
        return new Uint8Array();
      default:
        throw new Error(`no program ${program}`);
    }
  }

  async #quote(option: (name: string) => string, folder: string): Promise<void> {
    const indices = option('-l').replace('sha256:', '').split(',').map(Number);
    const selections = [{ bank: 'sha256', indices }] as const;
    const { message, signature } = this.vtpm.quote({ extraData: Buffer.from(option('-q'), 'hex'), selections });
    if (this.extendedDuring > 0) {
      this.extendedDuring -= 1;
      this.vtpm.setPcr('sha256', 9, new Uint8Array(32).fill(this.extendedDuring + 1));
    }
    const values = indices.map((index) => this.vtpm.pcr('sha256', index));
    await writeFile(join(folder, option('-m')), message);
    await writeFile(join(folder, option('-s')), buildTpmtSignature('rsassa', 'sha256', signature));
    await writeFile(join(folder, option('-o')), Buffer.concat(values));
  }

  #index(index: number): Index {
    const found = this.nv.get(index);
    if (found === undefined) throw new Error(`no index ${index}`);
    return found;
  }
}

/** As tpm2-tools 5.7 writes it. */
function publicOf([index, { size, bytes }]: readonly [number, Index]): string {
  return `0x${index.toString(16).toUpperCase()}:
  name: 000b92ebc24c43b168bd7216363f4d047ec899061d6f756fa95acf446d2b39107b88
  hash algorithm:
    friendly: sha256
    value: 0xB
  attributes:
    friendly: ownerwrite|ownerread${bytes === null ? '' : '|written'}
    value: 0x20002
  size: ${size}
`;
}
