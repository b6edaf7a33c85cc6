import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { littleEndian } from '../../lab/byte-patch.js';
import { buildCcel, labCcelEvents, replayCcel } from '../../lab/index.js';
import { buildTpmLog, latin1 } from '../../unit/inspect/tpm-log.js';
import { base64Url, LabService, post } from './lab-service.js';

const LOG_BYTES = 8192;
const CCEL = buildCcel(labCcelEvents());
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  service = await lab.start({ limits: { eventLogBytes: LOG_BYTES, bodyBytes: 65_536 } });
});

afterAll(() => lab.close());

const inspect = (members: JsonObject) =>
  post(service.url, '/inspect', JSON.stringify({ type: 'event-log', ...members }));

describe('POST /inspect of an event log', () => {
  it('shows what it says and what it replays to, and that nothing of it was verified', async () => {
    const { status, body } = await inspect({ log: base64Url(CCEL) });
    expect(status).toBe(200);
    const [rtmr0, rtmr1, rtmr2] = replayCcel(labCcelEvents()).map(hex);
    expect(body).toMatchObject({
      verified: false,
      type: 'event-log',
      format: 'crypto-agile',
      eventCount: labCcelEvents().length,
      replayed: { sha384: { '1': rtmr0, '2': rtmr1, '3': rtmr2 } },
      secureBoot: null,
    });
    expect(body.problems.map(({ code }: { code: string }) => code)).toEqual(['eventlog_unverified']);
  });

  it('compares it with values of registers', async () => {
    const [rtmr0 = '', rtmr1 = ''] = replayCcel(labCcelEvents()).map(hex);
    const other = 'ab'.repeat(48);
    const { body } = await inspect({ log: base64Url(CCEL), pcrs: { sha384: { '1': rtmr0, '2': other } } });
    expect(body.problems[0]).toMatchObject({ code: 'eventlog_replay', pcr: 2, expected: other, actual: rtmr1 });
  });

  it.each<[string, JsonObject]>([
    ['no values', {}],
    ['a bank without values', { sha384: {} }],
  ])('answers as without values where there are %s', async (_what, pcrs) => {
    const { status, body } = await inspect({ log: base64Url(CCEL), pcrs });
    expect(status).toBe(200);
    expect(body).toEqual((await inspect({ log: base64Url(CCEL) })).body);
  });

  it('takes the log in base64 too', async () => {
    expect((await inspect({ log: Buffer.from(CCEL).toString('base64') })).status).toBe(200);
  });

  it.each<[string, JsonObject, string, string]>([
    ['REQ-04 an unknown member', { log: base64Url(CCEL), nonce: 'AAAA' }, 'unknown_property', '/nonce'],
    ['REQ-05 no log', {}, 'schema', '/log'],
    ['REQ-05 values that are no object', { log: base64Url(CCEL), pcrs: 'all' }, 'schema', '/pcrs'],
    [
      'TPM-07 a value of another length',
      { log: base64Url(CCEL), pcrs: { sha256: { '7': 'abcd' } } },
      'tpm_format',
      '/pcrs/sha256/7',
    ],
    ['a log that is none', { log: base64Url(latin1('not an event log')) }, 'eventlog_format', '/log'],
    ['a log that is cut', { log: base64Url(CCEL.subarray(0, -65)) }, 'eventlog_format', '/log'],
    ['TPM-14 an empty log', { log: '' }, 'eventlog_limit', '/log'],
    ['TPM-14 a log that is too long', { log: base64Url(new Uint8Array(LOG_BYTES + 1)) }, 'eventlog_limit', '/log'],
    [
      'TPM-14 an event of 2^32-1 bytes',
      { log: base64Url(Buffer.concat([buildTpmLog([]), wrapping()])) },
      'eventlog_limit',
      '/log',
    ],
  ])('is refused: %s', async (_what, members, code, pointer) => {
    const { status, body } = await inspect(members);
    expect([status, body.code, body.pointer]).toEqual([400, code, pointer]);
  });

  it('TPM-14 the limit of a body answers first', async () => {
    const { status, body } = await inspect({ log: base64Url(new Uint8Array(65_536)) });
    expect([status, body.code]).toEqual([413, 'body_too_large']);
  });
});

/** An event without digests beyond one, whose length leads around the end of 32 bits. */
function wrapping(): Uint8Array {
  return Buffer.concat([
    littleEndian(0, 4),
    littleEndian(4, 4),
    littleEndian(1, 4),
    littleEndian(0x0b, 2),
    new Uint8Array(32),
    littleEndian(0xffffffff, 4),
    new Uint8Array(16),
  ]);
}
