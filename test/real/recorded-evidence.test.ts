import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningService, startService } from '../../src/app/service.js';
import { readEvidenceFolder } from '../../src/collector/evidence-files.js';
import { recogniseFiles } from '../../src/collector/recognise-files.js';
import { evidenceOf } from '../../src/collector/request-files.js';
import { loadConfiguration } from '../../src/config/load-configuration.js';
import type { JsonObject } from '../../src/core/json.js';
import { RAW_RECOGNISER } from '../../src/inspect/raw-structures.js';
import { post, verdictOf } from '../integration/service/lab-service.js';

/** Evidence of real machines that the project carries, verified at its own time up to the vendors' roots. Nothing is fetched. */

const FOLDER = 'examples/real';
const CONFIGURATION = `${FOLDER}/veritee.yaml`;

interface Recording {
  readonly name: string;
  /** Decision, then its reasons. */
  readonly verdict: readonly string[];
  readonly warnings: readonly string[];
  /** One flipped bit: member of the evidence, byte, and the verdict then. */
  readonly flips: readonly (readonly [member: string, byte: number, verdict: readonly unknown[]])[];
}

const RECORDINGS: readonly Recording[] = [
  {
    name: 'azure-milan',
    verdict: ['allow'],
    warnings: ['crl_unconfirmed', 'nonce_stale', 'snp_product_advisory'],
    flips: [
      ['hclReport', 0x20 + 0x90, ['deny', 'snp_signature']],
      ['hclReport', 0x4d4 + 100, ['deny', 'hcl_binding']],
      ['tpmQuote.message', 100, ['deny', 'tpm_signature']],
      ['endorsements.vek', 1000, ['deny', 'cert_signature']],
    ],
  },
  {
    name: 'azure-tdx',
    verdict: ['allow'],
    warnings: ['collateral_unconfirmed', 'nonce_stale'],
    flips: [
      ['tdQuote', 48 + 136, ['deny', 'tdx_signature', 'tdx_report_mismatch']],
      ['hclReport', 0x4d4 + 100, ['deny', 'hcl_binding']],
      ['akCertificate', 700, ['deny', 'ak_cert_untrusted']],
    ],
  },
  {
    name: 'snp-genoa',
    verdict: ['allow'],
    warnings: ['crl_unavailable'],
    flips: [['report', 0x90, ['deny', 'snp_signature']]],
  },
  {
    name: 'snp-milan-vlek',
    verdict: ['deny', 'snp_tcb_low'],
    warnings: ['crl_unconfirmed', 'snp_product_advisory'],
    flips: [['report', 0x90, ['deny', 'snp_signature']]],
  },
  {
    name: 'tdx-gcp',
    verdict: ['allow'],
    warnings: ['collateral_unconfirmed', 'nonce_missing'],
    flips: [['quote', 48 + 136, ['deny', 'tdx_signature']]],
  },
  {
    name: 'tdx-ccel',
    verdict: ['deny', 'tdx_tcb_status'],
    warnings: ['collateral_unconfirmed', 'nonce_missing'],
    flips: [
      ['quote', 48 + 136, ['deny', 'tdx_signature']],
      ['ccel', 2000, ['deny', 'tdx_tcb_status', 'eventlog_unverified']],
    ],
  },
  {
    name: 'maa-token',
    verdict: ['allow'],
    warnings: ['nonce_missing', 'snp_product_advisory'],
    flips: [['token', 5000, ['deny', 'token_signature']]],
  },
];

let service: RunningService;

beforeAll(async () => {
  service = await start();
});

afterAll(() => service.close());

/** The service of the configuration beside the recordings. */
async function start(environment: Readonly<Record<string, string>> = {}): Promise<RunningService> {
  const text = await readFile(CONFIGURATION, 'utf8');
  const file = CONFIGURATION;
  const configuration = loadConfiguration({ text, file, environment: { VERITEE__LISTEN__PORT: '0', ...environment } });
  const log = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
  return startService(configuration, { log });
}

async function bodyOf(name: string): Promise<JsonObject> {
  return JSON.parse(await readFile(`${FOLDER}/${name}.json`, 'utf8'));
}

const verify = (body: JsonObject) => post(service.url, '/verify', JSON.stringify(body));

/** The same body with the lowest bit of one byte flipped; of a token, one letter of a segment in the same alphabet. */
function flipped(body: JsonObject, member: string, byte: number): JsonObject {
  const copy = structuredClone(body);
  const path = member.split('.');
  const last = path.pop() ?? '';
  type Members = Record<string, unknown>;
  const parent = path.reduce((object, name) => object[name] as Members, copy['evidence'] as Members);
  parent[last] = member === 'token' ? otherLetter(String(parent[last]), byte) : otherBit(String(parent[last]), byte);
  return copy;
}

function otherBit(encoded: string, byte: number): string {
  const bytes = Buffer.from(encoded, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(byte) ^ 1, byte);
  return bytes.toString('base64url');
}

function otherLetter(token: string, at: number): string {
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

describe.each(RECORDINGS)('the recording $name', ({ name, verdict, warnings, flips }) => {
  it(`comes to ${verdict.join(', ')}`, async () => {
    const answer = await verify(await bodyOf(name));
    const { body } = answer;
    expect(verdictOf(answer)).toEqual(verdict);
    const warned = body.checks.filter(({ result }: JsonObject) => result === 'warn').map(({ id }: JsonObject) => id);
    expect(warned.toSorted()).toEqual(warnings);
    expect(body.historical).toBe(true);
  });

  it.each(flips)('with one bit of %s flipped, at byte %i, comes to %j', async (member, byte, expected) => {
    expect(verdictOf(await verify(flipped(await bodyOf(name), member, byte)))).toEqual(expected);
  });

  // A token is one file, and not a folder of them.
  if (name === 'maa-token') return;

  it('is the same evidence as raw files', async () => {
    const { files, notes } = await readEvidenceFolder(`${FOLDER}/${name}`);
    const recognised = recogniseFiles(files, RAW_RECOGNISER);
    expect([...notes, ...recognised.notes]).toEqual([]);
    expect(evidenceOf(recognised.contents, null)).toEqual((await bodyOf(name))['evidence']);
  });
});

describe('the recording event-log', () => {
  const replayed = async (log: Uint8Array) =>
    (
      await post(
        service.url,
        '/inspect',
        JSON.stringify({ type: 'event-log', log: Buffer.from(log).toString('base64url') }),
      )
    ).body;

  it('replays, with Secure Boot on; with one bit of a digest flipped it replays to another PCR', async () => {
    const log = await readFile(`${FOLDER}/event-log/eventlog.bin`);
    const before = await replayed(log);
    expect([before.format, before.secureBoot]).toEqual(['crypto-agile', true]);
    const tampered = Buffer.from(log);
    tampered.writeUInt8(tampered.readUInt8(180) ^ 1, 180);
    expect((await replayed(tampered)).replayed).not.toEqual(before.replayed);
  });
});

describe('what is there to copy', () => {
  it('is a configuration that loads', async () => {
    const file = 'examples/veritee.yaml';
    const { callers, policies } = loadConfiguration({ text: await readFile(file, 'utf8'), file, environment: {} });
    expect([Object.keys(callers), policies.default]).toEqual([['gate'], 'azure-cvm-baseline']);
  });

  it.each([
    ['azure-pinned', 'azure-milan', ['allow']],
    ['tdx-pinned', 'tdx-gcp', ['deny', 'nonce_missing']],
  ])('is the policy %s, under which %s comes to %j', async (id, recording, verdict) => {
    const { evidence, nonce, at } = await bodyOf(recording);
    const copy = await start({ VERITEE__POLICIES__DIRECTORY: 'examples/policies' });
    const body = { evidence, at, policy: id, ...(nonce === undefined ? {} : { nonce }) };
    const answer = await post(copy.url, '/verify', JSON.stringify(body)).finally(() => copy.close());
    expect(verdictOf(answer)).toEqual(verdict);
  });
});
