import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decisionContent, entryOf } from '../../../src/decision-log/decision-content.js';
import { readContent } from '../../../src/decision-log/record-content.js';
import type { Claims } from '../../../src/model/claims.js';
import type { Decision } from '../../../src/model/decision.js';
import type { JsonObject } from '../../../src/model/json.js';
import { namingVtpm } from '../../../src/model/vtpm-resets.js';
import { judged, NONCE, policy, present } from './recorded.js';

const SALT = new Uint8Array(32).fill(3);
const TIME = new Date('2026-01-15T12:00:01Z');

const CHIP_ID = '0123456789abcdef'.repeat(8);
const PPID = 'fedcba98'.repeat(4);
const VM_ID = '68CD9C45-6D8F-4C3C-9A5A-0B1C2D3E4F50';
const REPORT_ID = 'c0ffee01'.repeat(8);
const AK = 'Zk9qcXJzdHV2d3h5ejAxMjM0NTY3ODlBQkNERUZHSEk';
const USER_DATA = `${'5a'.repeat(20)}${'00'.repeat(44)}`;

const withheldHex = (hex: string) => withheldBytes(Buffer.from(hex, 'hex'));
const withheldBytes = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(SALT).update(bytes).digest('hex')}`;

function contentOf(decision: Partial<Decision> = {}, request: Parameters<typeof judged>[1] = {}) {
  const recorded = judged(decision, request);
  const made = decisionContent(
    { ...recorded, presented: present(recorded.decision) },
    { salt: SALT, time: TIME, version: '0.1.0' },
  );
  return { ...made, parsed: JSON.parse(made.content), decision: recorded.decision };
}

const claims = (members: object) => members as Claims as Decision['claims'];

describe('what is recorded of a decision', () => {
  it('says which key is to be released, and is what it was where none is', () => {
    const decided = judged();
    const made = (members: object) => {
      const recorded = { ...decided, ...members, presented: present(decided.decision) };
      return decisionContent(recorded, { salt: SALT, time: TIME, version: '0.1.0' }).content;
    };
    const release = { keyId: 'db-key', dryRun: true };
    const { request, ...rest } = JSON.parse(made({ release: { ...release, more: 'a secret' } }));
    expect(request.release).toEqual(release);
    const { release: _, ...without } = request;
    expect(JSON.parse(made({}))).toEqual({ ...rest, request: without });
    expect(made({})).not.toContain('release');
  });

  it('is who asked, what for, on which bytes, and what was decided', () => {
    const token = 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln';
    const { parsed, decision } = contentOf(
      { policies: [policy('payments')] },
      { audience: 'https://gate.example', policies: ['payments'], attestationResults: [{ type: 'maa-token', token }] },
    );
    expect(parsed).toMatchObject({
      v: 1,
      kind: 'decision',
      time: '2026-01-15T12:00:01.000Z',
      version: '0.1.0',
      principal: 'gate',
      tenant: 'default',
      request: {
        audience: 'https://gate.example',
        policies: ['payments'],
        nonceSha256: createHash('sha256').update(NONCE).digest('hex'),
        attestationResults: [{ type: 'maa-token', sha256: createHash('sha256').update(token).digest('hex') }],
      },
      decision: {
        decision: 'allow',
        decisionId: decision.decisionId,
        evidence: decision.evidence,
        policies: [{ id: 'payments' }],
      },
    });
  });

  it('has no remedy, no receipt and no maaView', () => {
    const { parsed } = contentOf({ receipt: 'eyJ.eyJ.sig', maaView: { absent: [] } });
    expect(Object.keys(parsed.decision)).not.toContain('receipt');
    expect(Object.keys(parsed.decision)).not.toContain('maaView');
    expect(parsed.decision.checks.length).toBeGreaterThan(0);
    for (const check of parsed.decision.checks) expect(Object.keys(check)).not.toContain('remedy');
  });

  it('has endorsements by their digests', () => {
    const endorsement = {
      kind: 'vcek',
      sha256: 'ef'.repeat(32),
      source: 'cache',
      notAfter: null,
      fetchedAt: null,
      revocation: 'good',
    } as const;
    const { parsed } = contentOf({ endorsements: [endorsement] });
    expect(parsed.decision.endorsements).toEqual([{ kind: 'vcek', sha256: 'ef'.repeat(32), source: 'cache' }]);
  });

  it('has no nonce where none was sent', () => {
    expect(contentOf({}, { nonce: null }).parsed.request.nonceSha256).toBeNull();
  });

  it.each([
    ['chip id', { snp: { chipId: CHIP_ID } }, ['snp', 'chipId'], withheldHex(CHIP_ID)],
    ['PPID', { tdx: { ppid: PPID } }, ['tdx', 'ppid'], withheldHex(PPID)],
    ['REPORT_ID', { snp: { reportId: REPORT_ID } }, ['snp', 'reportId'], withheldHex(REPORT_ID)],
    ['REPORT_ID_MA', { snp: { reportIdMa: REPORT_ID } }, ['snp', 'reportIdMa'], withheldHex(REPORT_ID)],
    ['AK thumbprint', { hcl: { akThumbprint: AK } }, ['hcl', 'akThumbprint'], withheldBytes(Buffer.from(AK))],
    ['user data', { hcl: { userData: USER_DATA } }, ['hcl', 'userData'], withheldHex(USER_DATA)],
    [
      'VM id',
      { hcl: { vmConfiguration: { vmUniqueId: VM_ID } } },
      ['hcl', 'vmConfiguration', 'vmUniqueId'],
      withheldBytes(Buffer.from(VM_ID)),
    ],
  ])('AUD-04 has the %s as a digest under its salt', (_, members, path, expected) => {
    const { parsed } = contentOf({ claims: claims(members) });
    const found = path.reduce((value: JsonObject, name) => value[name] as JsonObject, parsed.decision.claims);
    expect(found).toBe(expected);
  });

  it('AUD-04 has what identifies in claims of tokens as digests, at any depth', () => {
    const token = {
      issuer: 'https://shared.weu.attest.azure.net',
      attestationType: 'azurevm',
      policyHash: null,
      stated: {},
      claims: {
        'x-ms-azurevm-vmid': VM_ID.toLowerCase(),
        'x-ms-runtime': {
          'user-data': USER_DATA.toUpperCase(),
          'client-payload': { nonce: 'QUJD', other: ['secret-text'] },
        },
        tdx: { attester_held_data: 'c2VjcmV0LWRhdGE=', verifier_nonce: { val: 'bm9uY2UtdmFsdWU=', iat: '' } },
        sgx_report_data: CHIP_ID,
      },
    };
    const { content } = contentOf({ claims: claims({ maa: token }) });
    for (const secret of [
      VM_ID.toLowerCase(),
      USER_DATA,
      'QUJD',
      'secret-text',
      'c2VjcmV0LWRhdGE',
      'bm9uY2UtdmFsdWU',
      CHIP_ID,
    ]) {
      expect(content.toLowerCase()).not.toContain(secret.toLowerCase());
    }
    expect(content).toContain('https://shared.weu.attest.azure.net');
  });

  it.each([
    'chipId',
    'ppid',
    'reportId',
    'reportIdMa',
    'akThumbprint',
    'userData',
    'reportData',
    'vmUniqueId',
    'nonce',
    'user-data',
    'client-payload',
    'x-ms-azurevm-vmid',
    'x-ms-sevsnpvm-reportdata',
    'x-ms-sevsnpvm-chipid',
    'x-ms-sevsnpvm-reportid',
    'attester_held_data',
    'attester_runtime_data',
    'attester_user_data',
    'verifier_nonce',
    'sevsnp_report_data',
    'sevsnp_chip_id',
    'tdx_report_data',
    'tdx_reportdata',
    'tdx_ppid',
  ])('AUD-04 has the claim %s of a token as a digest', (name) => {
    const { parsed } = contentOf({ claims: claims({ ita: { claims: { [name]: 'of-one-machine', more: 'of all' } } }) });
    expect(parsed.decision.claims.ita.claims).toEqual({
      [name]: withheldBytes(Buffer.from('of-one-machine')),
      more: 'of all',
    });
  });

  it('AUD-04 has a value as its digest in whatever case and encoding it comes again', () => {
    const vmId = 'Machine-68cd9c45/6d8f?';
    const base64 = Buffer.from(vmId).toString('base64').replace(/=+$/, '');
    const again = [vmId.toLowerCase(), vmId.toUpperCase(), base64, Buffer.from(vmId).toString('base64url')];
    const check = {
      id: 'snp_signature',
      result: 'fail',
      about: `/evidence/${vmId}`,
      expected: again,
      actual: null,
      detail: `${vmId} is another`,
      policy: null,
    } as const;
    const { parsed } = contentOf({
      checks: [check as never],
      claims: claims({ hcl: { vmConfiguration: { vmUniqueId: vmId } } }),
    });
    const digest = withheldBytes(Buffer.from(vmId));
    expect(parsed.decision.checks).toMatchObject([
      { about: `/evidence/${digest}`, expected: again.map(() => digest), detail: `${digest} is another` },
    ]);
  });

  it('AUD-04 has the same digest for hex in either case', () => {
    const { parsed } = contentOf({
      claims: claims({ snp: { chipId: CHIP_ID.toUpperCase() }, note: CHIP_ID, other: CHIP_ID.toUpperCase() }),
    });
    const digest = withheldHex(CHIP_ID);
    expect(parsed.decision.claims).toMatchObject({ snp: { chipId: digest }, note: digest, other: digest });
  });

  it('AUD-04 has REPORT_ID and the keys of the vTPM in claims of tokens as digests', () => {
    const [ak, ek, ephemeral] = ['x_'.repeat(30), 'y-'.repeat(30), 'w_'.repeat(30)];
    const keys = [
      { kid: 'HCLAkPub', kty: 'RSA', e: 'AQAB', n: ak },
      { kid: 'HCLEkPub', kty: 'RSA', e: 'AQAB', n: ek },
      { kid: 'TpmEphemeralEncryptionKey', kty: 'RSA', e: 'AQAB', n: ephemeral },
      { kid: 'another', kty: 'RSA', e: 'AQAB', n: 'z_'.repeat(30) },
    ];
    const isolation = { 'x-ms-sevsnpvm-reportid': REPORT_ID, 'x-ms-runtime': { keys } };
    const { parsed } = contentOf({ claims: claims({ maa: { claims: { 'x-ms-isolation-tee': isolation } } }) });
    const written = parsed.decision.claims.maa.claims['x-ms-isolation-tee'];
    expect(written['x-ms-sevsnpvm-reportid']).toBe(withheldHex(REPORT_ID));
    expect(written['x-ms-runtime'].keys).toEqual([
      { ...keys[0], n: withheldBytes(Buffer.from(ak)) },
      { ...keys[1], n: withheldBytes(Buffer.from(ek)) },
      { ...keys[2], n: withheldBytes(Buffer.from(ephemeral)) },
      keys[3],
    ]);
  });

  it.each(['snp.reportId', 'hcl.akThumbprint'])('AUD-04 has what routes say of %s as digests', (claim) => {
    const values = { hardware: 'of this machine', maa: 'of another one' };
    const digests = Object.fromEntries(
      Object.entries(values).map(([route, value]) => [route, withheldBytes(Buffer.from(value))]),
    );
    const check = { id: 'disagreement', result: 'fail', about: '/evidence', expected: null, policy: null } as const;
    const { parsed } = contentOf({
      checks: [
        { ...check, actual: values, detail: `hardware and maa state different values of ${claim}` },
        { ...check, actual: { maa: 'a measurement' }, detail: 'hardware and maa state different values of snp.vmpl' },
        {
          ...check,
          expected: 'of a third',
          actual: 'of a fourth',
          detail: `the token of maa is about another TEE: ${claim}`,
        },
      ],
      claims: claims({}),
      crossCheck: {
        routes: ['hardware', 'maa'],
        agree: false,
        differences: [
          { claim, values },
          { claim: 'snp.vmpl', values: { hardware: 0, maa: 'a measurement' } },
        ],
        differencesOmitted: 0,
      } as never,
    });
    expect(parsed.decision.crossCheck).toMatchObject({
      routes: ['hardware', 'maa'],
      differences: [
        { claim, values: digests },
        { claim: 'snp.vmpl', values: { hardware: 0, maa: 'a measurement' } },
      ],
    });
    expect(parsed.decision.checks).toMatchObject([
      { actual: digests },
      { actual: { maa: 'a measurement' } },
      {
        expected: withheldBytes(Buffer.from('of a third')),
        actual: withheldBytes(Buffer.from('of a fourth')),
      },
    ]);
  });

  it('AUD-04 names no AK where claims have none of it', () => {
    const check = {
      id: 'tpm_reset',
      result: 'fail',
      about: '/evidence',
      expected: null,
      actual: null,
      detail: namingVtpm(AK, 'resetCount 1 is lower than 2'),
      policy: 'payments',
    } as const;
    const { parsed } = contentOf({ checks: [check], claims: claims({}) });
    const digest = withheldBytes(Buffer.from(AK));
    expect(parsed.decision.checks[0].detail).toBe(`resetCount 1 is lower than 2 (AK thumbprint ${digest})`);
  });

  it.each([
    ['hex', Buffer.from(NONCE).toString('hex')],
    ['upper-case hex', Buffer.from(NONCE).toString('hex').toUpperCase()],
    ['base64url', Buffer.from(NONCE).toString('base64url')],
    ['base64', Buffer.from(NONCE).toString('base64')],
  ])('AUD-04 has no nonce in what checks compare, in %s', (_, written) => {
    const check = {
      id: 'snp_signature',
      result: 'fail',
      about: '/nonce',
      expected: written,
      actual: `${'00'.repeat(4)}${written}`,
      detail: 'another nonce',
      policy: null,
    } as const;
    const { content, parsed } = contentOf({ checks: [check] });
    expect(content).not.toContain(written.replace(/=+$/, ''));
    expect(parsed.decision.checks[0].expected).toContain(withheldBytes(NONCE));
  });

  it('AUD-04 has in checks as a digest what claims have as one', () => {
    const check = {
      id: 'snp_chip_id',
      result: 'pass',
      about: '/evidence/report',
      expected: CHIP_ID,
      actual: CHIP_ID,
      detail: 'the same',
      policy: null,
    } as const;
    const { parsed } = contentOf({ checks: [check], claims: claims({ snp: { chipId: CHIP_ID } }) });
    expect(parsed.decision.checks[0]).toMatchObject({ expected: withheldHex(CHIP_ID), actual: withheldHex(CHIP_ID) });
  });

  it.each([
    ['snp_chip_id', CHIP_ID, '89ab'.repeat(32)],
    ['nonce_mismatch', USER_DATA, `${'7b'.repeat(32)}${'00'.repeat(32)}`],
    ['hcl_binding', CHIP_ID, '3c'.repeat(64)],
    ['tdx_report_mismatch', '1d'.repeat(64), '2d'.repeat(64)],
  ] as const)('AUD-04 has what %s compares as digests, also where no claim says it', (id, expected, actual) => {
    const check = {
      id,
      result: 'fail',
      about: '/evidence',
      expected,
      actual,
      detail: 'differs',
      policy: null,
    } as const;
    const { parsed } = contentOf({ checks: [check], claims: claims({}) });
    expect(parsed.decision.checks[0]).toMatchObject({ expected: withheldHex(expected), actual: withheldHex(actual) });
  });

  it('AUD-04 has the VM ids of a policy as digests', () => {
    const check = {
      id: 'hcl_reference',
      result: 'fail',
      about: '/evidence',
      expected: [VM_ID],
      actual: null,
      detail: 'another VM',
      policy: 'payments',
    } as const;
    const { parsed } = contentOf({ checks: [check], claims: claims({}) });
    expect(parsed.decision.checks[0].expected).toEqual([withheldBytes(Buffer.from(VM_ID))]);
  });

  it.each([
    ['a nonce that spells a member', { nonce: Buffer.from('endorsements', 'base64url') }, {}],
    ['a nonce that spells a policy', { nonce: Buffer.from('payments-pro', 'base64url') }, {}],
    ['a nonce that is the digest of a policy', { nonce: Buffer.from('ab'.repeat(32), 'hex') }, {}],
    ['a nonce that spells an outcome', { nonce: Buffer.from('indeterminat', 'base64url') }, {}],
    ['a VM id that is the name of a member', {}, { vmUniqueId: 'decision' }],
    ['a VM id with quotes', {}, { vmUniqueId: '"tenant":' }],
    ['a VM id that joins members', {}, { vmUniqueId: '","tenant":"' }],
    ['a VM id that is the principal', {}, { vmUniqueId: 'gate-of-payments' }],
  ])('AUD-04 is whole whatever is withheld: %s', (_, request, vmConfiguration) => {
    const decision = { decision: 'indeterminate', policies: [policy('payments-production', 'indeterminate')] } as const;
    const recorded = judged({ ...decision, claims: claims({ hcl: { vmConfiguration } }) }, request);
    const made = decisionContent(
      {
        ...recorded,
        caller: { principal: 'gate-of-payments', tenant: 'default' },
        presented: present(recorded.decision),
      },
      { salt: SALT, time: TIME, version: '0.1.0' },
    );
    const content = JSON.parse(made.content);
    expect(content).toMatchObject({ kind: 'decision', principal: 'gate-of-payments', tenant: 'default' });
    expect(content.decision).toMatchObject({
      decision: 'indeterminate',
      policies: decision.policies,
      endorsements: [],
    });
    expect(made.entry).toEqual(entryOf(content));
    expect(readContent(made.content)?.entry).toEqual(made.entry);
  });

  it('AUD-04 has as a digest what is chosen to look like the digest of another', () => {
    const { parsed } = contentOf({
      claims: claims({
        hcl: { vmConfiguration: { nonce: [...'0123456789abcdef'].map((digit) => `sha256:${digit}`) } },
        snp: { chipId: CHIP_ID },
      }),
    });
    expect(parsed.decision.claims.snp.chipId).toBe(withheldHex(CHIP_ID));
  });

  it('AUD-04 has no nonce in names of claims, and none in what routes say of each other', () => {
    const nonce = Buffer.from(NONCE).toString('hex');
    const difference = { claim: nonce, routes: ['hardware', 'maa'], values: [nonce, null] };
    const { content } = contentOf({
      claims: claims({ maa: { claims: { 'client-payload': { [nonce]: 'secret-text' }, [nonce]: 1 } } }),
      crossCheck: {
        routes: ['hardware', 'maa'],
        agree: false,
        differences: [difference],
        differencesOmitted: 0,
      } as never,
    });
    expect(content).not.toContain(nonce);
  });

  it('AUD-04 withholds the longest of what begins alike, once', () => {
    const withheldTexts = ['machine-1', 'machine-12'];
    const { parsed } = contentOf({
      claims: claims({
        hcl: { vmConfiguration: { nonce: withheldTexts }, note: 'machine-12 and machine-1, machine-' },
      }),
    });
    const [one, other] = withheldTexts.map((text) => withheldBytes(Buffer.from(text)));
    expect(parsed.decision.claims.hcl.note).toBe(`${other} and ${one}, machine-`);
  });

  it('is made in little time of claims with ten thousand values that are withheld', () => {
    const values = Array.from({ length: 10_000 }, (_, index) => [`name${index}`, `machine-${index}`]);
    const token = { claims: { 'client-payload': Object.fromEntries(values) }, more: 'machine-'.repeat(2_000) };
    const begun = performance.now();
    contentOf({ claims: claims({ maa: token }) });
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  it('is made in little time of claims with values that begin alike, and a text that begins so at each place', () => {
    const values = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(8 + index)}c`);
    const token = { claims: { 'client-payload': values }, more: 'a'.repeat(24_000) };
    const begun = performance.now();
    contentOf({ claims: claims({ maa: token }) });
    expect(performance.now() - begun).toBeLessThan(300);
  });

  it.each([
    ['all ones, as REPORT_ID_MA without a migration agent', 'ff', { snp: { reportIdMa: 'ff'.repeat(32) } }, NONCE],
    ['zeros, as the nonce of the caller', '00', {}, new Uint8Array(32)],
  ])('leaves measured values alone that are %s', (_, byte, members, nonce) => {
    const measured = { tpm: { pcrs: { sha256: { '17': byte.repeat(32) } } }, tdx: { mrOwner: byte.repeat(48) } };
    const { parsed } = contentOf({ claims: claims({ ...members, ...measured }) }, { nonce });
    expect(parsed.decision.claims).toMatchObject(measured);
    if ('snp' in members) expect(parsed.decision.claims.snp.reportIdMa).toBe(withheldHex('ff'.repeat(32)));
  });

  it('leaves short values alone where they only look alike', () => {
    const { parsed } = contentOf({ claims: claims({ hcl: { userData: '0a', paravisor: { digest: '0a0b' } } }) });
    expect(parsed.decision.claims.hcl).toEqual({ userData: withheldHex('0a'), paravisor: { digest: '0a0b' } });
  });

  it('keeps values that are no text, and empty text', () => {
    const { parsed } = contentOf({
      claims: claims({ hcl: { userData: null }, snp: { chipId: '', vmpl: 0, list: [1, true] } }),
    });
    expect(parsed.decision.claims).toMatchObject({
      hcl: { userData: null },
      snp: { chipId: '', vmpl: 0, list: [1, true] },
    });
  });
});

describe('AUD-01 the content of a decision', () => {
  const CHECK = { id: 'snp_signature', result: 'pass', about: '/evidence', detail: 'holds', policy: null } as const;
  const whole = () =>
    contentOf({ policies: [policy('payments')], checks: [{ ...CHECK, expected: null, actual: null }] });

  /** With another value at a path; without the member where that is undefined. */
  function changed(path: readonly (string | number)[], value: unknown): string {
    const content = JSON.parse(whole().content);
    const of = path.slice(0, -1).reduce((object, name) => object[name], content);
    of[path.at(-1) ?? ''] = value;
    return JSON.stringify(content);
  }

  it('is read where all is there', () => {
    for (const content of [
      whole().content,
      changed(['decision', 'more'], {}),
      changed(['request', 'audience'], 'https://gate.example'),
      changed(['decision', 'checks', 0, 'policy'], 'payments'),
    ]) {
      expect(readContent(content)?.entry).toMatchObject({ outcome: 'allow', policies: ['payments'] });
    }
  });

  it.each<readonly (string | number)[]>([
    ['time'],
    ['version'],
    ['principal'],
    ['tenant'],
    ['request'],
    ['request', 'audience'],
    ['decision'],
    ['decision', 'decisionId'],
    ['decision', 'decidedAt'],
    ['decision', 'at'],
    ['decision', 'validUntil'],
    ['decision', 'decision'],
    ['decision', 'reasons'],
    ['decision', 'historical'],
    ['decision', 'retryable'],
    ['decision', 'claims'],
    ['decision', 'evidence'],
    ['decision', 'evidence', 'type'],
    ['decision', 'evidence', 'sha256'],
    ['decision', 'policies'],
    ['decision', 'policies', 0],
    ['decision', 'policies', 0, 'id'],
    ['decision', 'policies', 0, 'version'],
    ['decision', 'policies', 0, 'sha256'],
    ['decision', 'policies', 0, 'outcome'],
    ['decision', 'checks'],
    ['decision', 'checks', 0],
    ['decision', 'checks', 0, 'id'],
    ['decision', 'checks', 0, 'result'],
    ['decision', 'checks', 0, 'about'],
    ['decision', 'checks', 0, 'detail'],
    ['decision', 'checks', 0, 'policy'],
  ])('has its form: %s %s %s %s', (...path) => {
    expect([undefined, 7.5, [7]].map((value) => readContent(changed(path, value)))).toEqual([null, null, null]);
  });

  it('has the id of a decision, and codes as reasons', () => {
    expect(readContent(changed(['decision', 'decisionId'], '\u001b[31mX'))).toBeNull();
    expect(readContent(changed(['decision', 'decision'], 'yes'))).toBeNull();
    expect(readContent(changed(['decision', 'reasons'], 'abc'))).toBeNull();
  });
});

describe('by what a decision is found', () => {
  it('follows from what is recorded of it', () => {
    const nonce = Buffer.from(NONCE).toString('hex');
    const { entry, parsed, decision } = contentOf(
      { policies: [policy('payments'), policy('baseline', 'deny')], decision: 'deny', reasons: ['snp_debug'] },
      { audience: `https://gate.example/${nonce}` },
    );
    expect(entry).toEqual(entryOf(parsed));
    expect(entry).toMatchObject({
      decisionId: decision.decisionId,
      tenant: 'default',
      outcome: 'deny',
      policies: ['payments', 'baseline'],
    });
    expect(JSON.parse(entry.summary)).toMatchObject({
      decisionId: decision.decisionId,
      decision: 'deny',
      reasons: ['snp_debug'],
      policies: [
        { id: 'payments', version: 1, sha256: 'ab'.repeat(32), outcome: 'allow' },
        { id: 'baseline', version: 1, sha256: 'ab'.repeat(32), outcome: 'deny' },
      ],
      principal: 'gate',
      historical: false,
    });
    expect(entry.summary).not.toContain(nonce);
  });
});
