import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readAmdCertification, readTdQuote } from '../../../src/collector/evidence-body.js';
import { METADATA_BOUNDS, MetadataService } from '../../../src/collector/metadata-service.js';
import { createAmdPki, type LabFault, LabInstanceMetadata, SnpPlatform } from '../../lab/index.js';

let platform: SnpPlatform;
let lab: LabInstanceMetadata;
let service: MetadataService;
const signal = new AbortController().signal;

beforeAll(async () => {
  platform = new SnpPlatform({ pki: createAmdPki() });
  lab = await LabInstanceMetadata.start({ snp: platform, tdQuote: (tdReport) => tdReport.slice(0, 4) });
  service = new MetadataService(lab.origin);
});

afterAll(() => lab.close());
beforeEach(() => lab.heal());

describe('the metadata service', () => {
  it('gives certificates, which are passed through', async () => {
    const { vek, chain } = await service.amdCertification(signal);
    expect([vek.startsWith('-----BEGIN CERTIFICATE-----'), chain]).toEqual([true, platform.chain]);
    expect(lab.received.at(-1)?.headers).toMatchObject({ metadata: 'true' });
  });

  it('makes a quote of a TDREPORT', async () => {
    expect(Buffer.from(await service.tdQuote(Buffer.from('report'), signal)).toString()).toBe('repo');
    expect(lab.received.at(-1)).toMatchObject({
      body: '{"report":"cmVwb3J0"}',
      headers: { 'content-type': 'application/json' },
    });
  });

  it('gives an answer of 64 KiB, and of not one byte more', async () => {
    const answerOf = (bytes: number) => ({ quote: 'A'.repeat(4), filling: 'x'.repeat(bytes - 29) });
    expect(JSON.stringify(answerOf(65_536))).toHaveLength(65_536);
    lab.fail(/tdquote/, { status: 200, body: answerOf(65_536) });
    expect(await service.tdQuote(Buffer.from('report'), signal)).toHaveLength(3);
    lab.fail(/tdquote/, { status: 200, body: answerOf(65_537) });
    await expect(service.tdQuote(Buffer.from('report'), signal)).rejects.toMatchObject({
      code: 'metadata_unreachable',
      message: '/acc/tdquote: answer is over 65536 bytes',
    });
  });

  it('is bounded as docs/guest.md says', async () => {
    const guide = await readFile(join(import.meta.dirname, '../../../docs/guest.md'), 'utf8');
    expect(guide.replaceAll(/\s+/g, ' ')).toContain('Answers are limited to 64 KiB and five seconds');
    expect(METADATA_BOUNDS).toEqual({ answerBytes: 64 * 1024, timeoutMs: 5_000 });
  });

  it.each<[LabFault, string]>([
    ['redirect', 'metadata_unreachable: /acc/tdquote: answered with a redirect'],
    ['oversize', 'metadata_unreachable: /acc/tdquote: answer is over 65536 bytes'],
    ['garbage', 'metadata_answer: the metadata service did not answer with a JSON object'],
    [{ status: 204 }, 'metadata_unreachable: /acc/tdquote: answered with status 204'],
    [{ status: 203, body: { quote: 'AAAA' } }, 'metadata_unreachable: /acc/tdquote: answered with status 203'],
    [{ status: 500 }, 'metadata_unreachable: /acc/tdquote: answered with status 500'],
    [{ status: 404 }, 'metadata_unreachable: /acc/tdquote: answered with status 404'],
    ['half_open', 'metadata_unreachable: /acc/tdquote: no answer in time'],
  ])('REQ-14 is asked once, and nobody else is: %j', async (fault, expected) => {
    lab.fail(/tdquote/, fault);
    const before = lab.requests.length;
    const asked = fault === 'half_open' ? new MetadataService(lab.origin, 500) : service;
    const error = await asked.tdQuote(Buffer.from('report'), signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expected.split(':')[0], message: expected.slice(expected.indexOf(':') + 2) });
    expect(lab.requests.length).toBe(before + 1);
  });

  it('is not waited for by a collection that was ended', async () => {
    lab.fail(/THIM/, 'half_open');
    const stop = new AbortController();
    const asked = service.amdCertification(stop.signal);
    setTimeout(() => stop.abort('SIGTERM'), 50);
    await expect(asked).rejects.toBe('SIGTERM');
  });

  it('is asked without a proxy, whatever the environment says', async () => {
    process.env['http_proxy'] = 'http://127.0.0.1:9';
    try {
      expect((await service.amdCertification(signal)).chain).toBe(platform.chain);
    } finally {
      delete process.env['http_proxy'];
    }
  });
});

describe('an answer of the metadata service', () => {
  it.each([
    '',
    'text',
    '[]',
    'null',
    '{"vcekCert":"x"}',
    '{"vcekCert":1,"certificateChain":"x"}',
    '{"vcekCert":"","certificateChain":"x"}',
  ])('without certificates is metadata_answer: %s', (answer) => {
    expect(() => readAmdCertification(Buffer.from(answer))).toThrow(
      expect.objectContaining({ code: 'metadata_answer' }),
    );
  });

  it.each(['{}', '{"quote":""}', '{"quote":"a b"}', '{"quote":"="}', '{"quote":7}'])(
    'without a quote is metadata_answer: %s',
    (answer) => {
      expect(() => readTdQuote(Buffer.from(answer))).toThrow(expect.objectContaining({ code: 'metadata_answer' }));
    },
  );
});
