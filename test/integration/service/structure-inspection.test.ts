import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { buildCcel, createIntelPki, createTdxGuest, labCcelEvents, SnpPlatform, TdxPlatform } from '../../lab/index.js';
import { base64Url, LabService, PKI, post } from './lab-service.js';

const LOG_BYTES = 8192;
const REPORT = new SnpPlatform({ pki: PKI }).report();
const CCEL = buildCcel(labCcelEvents());

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  service = await lab.start({ limits: { eventLogBytes: LOG_BYTES, bodyBytes: 65_536 } });
});

afterAll(() => lab.close());

const inspect = (members: JsonObject) => post(service.url, '/inspect', JSON.stringify({ type: 'bytes', ...members }));

describe('POST /inspect of a structure by itself', () => {
  it('shows it as in evidence, but for its place, and that nothing of it was verified', async () => {
    const evidence = { type: 'snp', report: base64Url(REPORT) };
    const { body: asEvidence } = await post(service.url, '/inspect', JSON.stringify(evidence));
    const { status, body } = await inspect({ value: base64Url(REPORT) });
    expect(status).toBe(200);
    const [structure] = asEvidence.structures;
    expect(body).toEqual({
      verified: false,
      notice: asEvidence.notice,
      type: 'bytes',
      kind: 'snp-report',
      structures: [{ ...structure, about: '/value' }],
    });
    expect((await inspect({ as: 'snp-report', value: Buffer.from(REPORT).toString('base64') })).body).toEqual(body);
  });

  it('shows a quote with the certificates that it carries', async () => {
    const { quote } = createTdxGuest({ platform: new TdxPlatform({ pki: createIntelPki() }) }).evidence();
    const { body } = await inspect({ value: base64Url(quote) });
    expect(body).toMatchObject({
      kind: 'td-quote',
      structures: [{ name: 'TD quote', about: '/value' }, {}, {}, {}, {}],
    });
  });

  it('answers of an event log as where that is the type', async () => {
    const { body } = await inspect({ value: base64Url(CCEL) });
    const asLog = await post(service.url, '/inspect', JSON.stringify({ type: 'event-log', log: base64Url(CCEL) }));
    expect(body).toEqual(asLog.body);
  });

  it.each<[string, JsonObject, string, string]>([
    ['REQ-04 an unknown member', { value: base64Url(REPORT), pcrs: {} }, 'unknown_property', '/pcrs'],
    ['REQ-05 no value', {}, 'schema', '/value'],
    ['REQ-13 a kind that does not exist', { as: 'sgx-quote', value: base64Url(REPORT) }, 'schema', '/as'],
    ['REQ-10 a value in no encoding', { value: 'a b' }, 'encoding', '/value'],
    ['REQ-12 another kind than is said', { as: 'hcl-report', value: base64Url(REPORT) }, 'type_mismatch', '/value'],
    ['nothing that is recognised', { value: base64Url(new Uint8Array(64)) }, 'type_unsupported', '/value'],
    ['a report that is cut', { as: 'snp-report', value: base64Url(REPORT.subarray(1)) }, 'snp_format', '/value'],
    [
      'TPM-14 an event log that is too long',
      { value: base64Url(Buffer.concat([CCEL, new Uint8Array(LOG_BYTES)])) },
      'eventlog_limit',
      '/value',
    ],
  ])('is refused: %s', async (_what, members, code, pointer) => {
    const { status, body } = await inspect(members);
    expect([status, body.code, body.pointer]).toEqual([400, code, pointer]);
  });

  it('the limit of a body answers first', async () => {
    const { status, body } = await inspect({ value: base64Url(new Uint8Array(65_536)) });
    expect([status, body.code]).toEqual([413, 'body_too_large']);
  });
});
