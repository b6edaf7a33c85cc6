import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { nonceRuntimeData, reportDataOver } from '../../lab/index.js';
import { pemOf } from '../../lab/pki.js';
import { base64Url, LabService, lenientPolicy, NONCE, post, verdictOf } from './lab-service.js';
import { checksOf, resultsOf } from './token-lab.js';

/** The body that Microsoft's key release sidecar posts to attest/SevSnpVm, as evidence over HTTP. */

const POLICY_TEXT = Buffer.from('package policy\n\nallow := true\n');
const HOST_DATA = createHash('sha256').update(POLICY_TEXT).digest();
const text = (value: string) => base64Url(Buffer.from(value));

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('bare', { accepts: ['snp'], freshness: 'required' }));
  service = await lab.start();
});

afterAll(() => lab.close());

interface Sent {
  /** JSON text of the member `nonce`. */
  readonly nonce?: string;
  readonly initTimeData?: JsonObject;
  readonly endorsements?: string;
  readonly isForged?: boolean;
}

function bodyOf({ nonce = '18446744073709551615', initTimeData, endorsements, isForged = false }: Sent): string {
  const { platform } = lab.vm;
  const runtimeData = nonceRuntimeData(NONCE);
  const report = platform.report({ fields: { reportData: reportDataOver(runtimeData), hostData: HOST_DATA } });
  if (isForged) report[0x50] = 1 ^ (report[0x50] ?? 0);
  const document = {
    SnpReport: base64Url(report),
    VcekCertChain: text(pemOf(platform.vek.der) + platform.chain),
    ...(endorsements === undefined ? {} : { Endorsements: endorsements }),
  };
  const value = {
    report: text(JSON.stringify(document)),
    runtimeData: { data: base64Url(runtimeData), dataType: 'JSON' },
    initTimeData: initTimeData ?? { data: '', dataType: '' },
    nonce: 'NONCE',
  };
  const evidence = { type: 'snp', dialect: 'maa', value };
  return JSON.stringify({ evidence, nonce: base64Url(NONCE), policy: 'bare' }).replace('"NONCE"', nonce);
}

const ask = (sent: Sent) => post(service.url, '/verify', bodyOf(sent));
const initData = (bytes: Uint8Array) => ({ initTimeData: { data: base64Url(bytes), dataType: 'Binary' } });

describe('the body of the key release sidecar', () => {
  it.each(['18446744073709551615', '9007199254740993', '1e400', '-0', '{"a":[12345678901234567890]}', 'null', '17'])(
    'SNP-51 is accepted with the ignored nonce %s and an empty initTimeData',
    async (nonce) => {
      const answer = await ask({ nonce });
      expect(verdictOf(answer)).toEqual(['allow']);
      expect(checksOf(answer, 'snp_host_data')).toEqual([]);
      expect(checksOf(answer, 'launch_endorsement_ignored')).toEqual([]);
    },
  );

  it('REQ-09 is refused with such a number anywhere else', async () => {
    const body = bodyOf({}).replace('"policy":"bare"', '"policy":9007199254740993');
    const { status, body: problem } = await post(service.url, '/verify', body);
    expect([status, problem.code, problem.pointer]).toEqual([400, 'schema', '/policy']);
    const inside = bodyOf({}).replace('"dataType":"JSON"', '"dataType":18446744073709551615');
    expect((await post(service.url, '/verify', inside)).body).toMatchObject({
      code: 'schema',
      pointer: '/evidence/value/runtimeData/dataType',
    });
    const initTime = bodyOf({}).replace('"dataType":""', '"dataType":18446744073709551615');
    expect((await post(service.url, '/verify', initTime)).body).toMatchObject({ code: 'schema' });
  });

  it('SNP-51 is denied where the text of initTimeData is not that of HOST_DATA', async () => {
    expect(verdictOf(await ask(initData(POLICY_TEXT)))).toEqual(['allow']);
    const other = await ask(initData(Buffer.concat([POLICY_TEXT, Buffer.from('\n')])));
    expect(verdictOf(other)).toEqual(['deny', 'snp_host_data']);
    expect(checksOf(other, 'snp_host_data')).toMatchObject([
      {
        result: 'fail',
        policy: null,
        expected: HOST_DATA.toString('hex'),
        remedy: expect.stringContaining('initTimeData'),
      },
    ]);
  });

  it('SNP-51 compares nothing with a report that does not verify', async () => {
    const answer = await ask({ ...initData(POLICY_TEXT), isForged: true });
    expect(verdictOf(answer)).toEqual(['deny', 'snp_signature']);
    expect(resultsOf(answer, 'snp_host_data')).toEqual(['skipped']);
  });

  it('SNP-51 warns of launch endorsements, which are not verified', async () => {
    const answer = await ask({ endorsements: text(JSON.stringify({ Uvm: [text('a COSE signature')] })) });
    expect([...verdictOf(answer), ...resultsOf(answer, 'launch_endorsement_ignored')]).toEqual(['allow', 'warn']);
    expect(checksOf(await ask({ endorsements: '' }), 'launch_endorsement_ignored')).toEqual([]);
  });
});
