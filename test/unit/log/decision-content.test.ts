import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Claims } from '../../../src/core/claims.js';
import type { Decision } from '../../../src/core/decision.js';
import type { JsonObject } from '../../../src/core/json.js';
import { readDecisionContent } from '../../../src/core/recorded-decision.js';
import { namingVtpm } from '../../../src/core/vtpm-resets.js';
import { decisionContent, entryOf } from '../../../src/log/decision-content.js';
import { readContent } from '../../../src/log/record-content.js';
import { judged, NONCE, policy } from './recorded.js';

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
  const made = decisionContent(recorded, { salt: SALT, time: TIME, version: '0.1.0' });
  return { ...made, parsed: JSON.parse(made.content), decision: recorded.decision };
}

const claims = (members: object) => members as Claims as Decision['claims'];
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** Claims of a token as they are recorded. */
const tokenClaims = (members: object) =>
  contentOf({ claims: claims({ ita: { claims: members } }) }).parsed.decision.claims.ita.claims;

describe('what is recorded of a decision', () => {
  it('says which key is to be released, and is what it was where none is', () => {
    const decided = judged();
    const made = (members: object) => {
      const recorded = { ...decided, ...members };
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
    const check = {
      id: 'snp_debug',
      result: 'warn',
      about: '',
      expected: 1,
      actual: 2,
      detail: '',
      policy: null,
    } as const;
    const { parsed } = contentOf({ receipt: 'eyJ.eyJ.sig', maaView: { absent: [] }, checks: [check] });
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

  it.each([
    'vmUniqueId',
    'user-data',
    'x-ms-azurevm-vmid',
    'x-ms-sevsnpvm-reportdata',
    'x-ms-sevsnpvm-chipid',
    'x-ms-sevsnpvm-reportid',
    'attester_held_data',
    'attester_user_data',
    'sgx_report_data',
    'sevsnp_report_data',
    'sevsnp_chip_id',
    'tdx_report_data',
    'tdx_reportdata',
    'tdx_ppid',
  ])('AUD-04 has the claim %s of a token as a digest', (name) => {
    const digest = withheldBytes(Buffer.from('of-one-machine'));
    expect(tokenClaims({ [name]: 'of-one-machine', 'x-ms-runtime': { [name]: 'of-one-machine' } })).toEqual({
      [name]: digest,
      'x-ms-runtime': { [name]: digest },
    });
  });

  it('AUD-04 has no claim of a token that it does not list, at any depth', () => {
    const listed = { 'x-ms-attestation-type': 'sevsnpvm', secureboot: true, 'x-ms-sevsnpvm-vmpl': 0 };
    const unlisted = {
      nonce: 'QUJDREVGR0g',
      verifier_nonce: { val: 'bm9uY2UtdmFsdWU=', iss: 'secret' },
      'client-payload': { nonce: 'QUJD', iss: 'secret' },
      keys: [{ kid: 'HCLAkPub', n: 'x_'.repeat(30) }],
      other: { secureboot: false },
    };
    expect(tokenClaims({ ...listed, ...unlisted, 'x-ms-isolation-tee': { ...listed, ...unlisted } })).toEqual({
      ...listed,
      'x-ms-isolation-tee': listed,
    });
  });

  it('has no long text of a token, and a long list as its number and digest', () => {
    const ids = Array.from({ length: 9 }, (_, index) => `INTEL-SA-${index}`);
    expect(
      tokenClaims({
        iss: 'x'.repeat(257),
        'x-ms-ver': 'x'.repeat(256),
        attester_advisory_ids: ids,
        tdx: { attester_advisory_ids: ids.slice(1), attester_tcb_status: [{ nested: 1 }] },
      }),
    ).toEqual({
      'x-ms-ver': 'x'.repeat(256),
      attester_advisory_ids: { count: 9, sha256: sha256(JSON.stringify(ids)) },
      tdx: { attester_advisory_ids: ids.slice(1) },
    });
  });

  it('has what a token states, and who issued it', () => {
    const token = {
      issuer: 'https://shared.weu.attest.azure.net',
      attestationType: 'azurevm',
      policyHash: null,
      claims: {},
      stated: { complianceStatus: null, secureBoot: true, tcbStatus: null, matchedPolicyIds: [] },
    };
    expect(contentOf({ claims: claims({ maa: token }) }).parsed.decision.claims).toEqual({ maa: token });
  });

  it('AUD-04 has command lines of a boot as digests, and long lists as their number and digest', () => {
    const files = Array.from({ length: 9 }, (_, index) => `${index}f`.repeat(32));
    const { parsed } = contentOf({
      claims: claims({ tpm: { eventLog: { commandLines: ['root=/dev/sda key=secret'], files, applications: null } } }),
    });
    expect(parsed.decision.claims.tpm.eventLog).toEqual({
      commandLines: [sha256('root=/dev/sda key=secret')],
      files: { count: 9, sha256: sha256(JSON.stringify(files)) },
      applications: null,
    });
  });

  it('AUD-04 has of the configuration of a VM what is listed, and of a certified key its thumbprint', () => {
    const { parsed } = contentOf({
      claims: claims({
        hcl: { vmConfiguration: { secureBoot: true, note: 'of the guest' } },
        tpm: { certifiedKey: { jkt: 'thumbprint', jwk: { kty: 'RSA', n: 'modulus' } } },
      }),
    });
    expect(parsed.decision.claims).toEqual({
      hcl: { vmConfiguration: { secureBoot: true } },
      tpm: { certifiedKey: { jkt: 'thumbprint' } },
    });
  });

  it('has only results of checks that passed or did not run, by place and policy', () => {
    const check = { about: '/evidence', expected: 1, actual: 1, detail: 'the same', policy: null } as const;
    const { parsed, content } = contentOf({
      checks: [
        { ...check, id: 'snp_signature', result: 'pass' },
        { ...check, id: 'snp_debug', result: 'warn' },
        { ...check, id: 'snp_vmpl', result: 'pass' },
        { ...check, id: 'policy_rule', result: 'pass', policy: 'payments' },
        { ...check, id: 'tpm_signature', result: 'skipped', group: 'no quote' },
      ] as never,
    });
    expect(parsed.decision.checks).toEqual([{ ...check, id: 'snp_debug', result: 'warn', waived: false }]);
    expect(parsed.decision.quietChecks).toEqual([
      { about: '/evidence', result: 'pass', ids: ['snp_signature', 'snp_vmpl'] },
      { about: '/evidence', policy: 'payments', result: 'pass', ids: ['policy_rule'] },
      { about: '/evidence', result: 'skipped', ids: ['tpm_signature'] },
    ]);
    const quiet = (id: string, result: string, policy: string | null) => ({ id, result, about: '/evidence', policy });
    expect(readDecisionContent(content)?.['decision']).toMatchObject({
      checks: [
        { id: 'snp_debug', detail: 'the same' },
        quiet('snp_signature', 'pass', null),
        quiet('snp_vmpl', 'pass', null),
        quiet('policy_rule', 'pass', 'payments'),
        quiet('tpm_signature', 'skipped', null),
      ],
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
          { claim, values: { maa: 'of a fifth' } },
        ],
        differencesOmitted: 0,
      } as never,
    });
    expect(parsed.decision.crossCheck).toMatchObject({
      routes: ['hardware', 'maa'],
      differences: [
        { claim, values: digests },
        { claim: 'snp.vmpl', values: { hardware: 0, maa: 'a measurement' } },
        // No check names it.
        { claim, values: { maa: withheldBytes(Buffer.from('of a fifth')) } },
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
      result: 'fail',
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
      { ...recorded, caller: { principal: 'gate-of-payments', tenant: 'default' } },
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

  it('leaves out fields that are all zeros or ones, and registers that nothing extended', () => {
    const { parsed } = contentOf({
      claims: claims({
        snp: { reportIdMa: 'ff'.repeat(32), hostData: '00'.repeat(32), familyId: '01'.repeat(16) },
        tdx: { rtmr: ['00'.repeat(48), '01'.repeat(48), '00'.repeat(48), '00'.repeat(48)] },
        tpm: { pcrs: { sha256: { '0': '01'.repeat(32), '10': '00'.repeat(32), '17': 'ff'.repeat(32) } } },
      }),
    });
    expect(parsed.decision.claims).toEqual({
      snp: { familyId: '01'.repeat(16) },
      tdx: { rtmr: ['00'.repeat(48), '01'.repeat(48), '00'.repeat(48), '00'.repeat(48)] },
      tpm: { pcrs: { sha256: { '0': '01'.repeat(32) } } },
    });
  });

  it('has flags that are set, and TCB levels that differ from the reported one', () => {
    const level = { bootloader: 4, tee: 0, snp: 24, microcode: 219 };
    const { parsed } = contentOf({
      claims: claims({
        snp: {
          policy: { abiMajor: 0, debug: false, smt: true },
          tcb: { current: level, committed: { ...level, snp: 23 }, reported: level, launch: level },
        },
      }),
    });
    expect(parsed.decision.claims.snp).toEqual({
      policy: { abiMajor: 0, smt: true },
      tcb: { committed: { ...level, snp: 23 }, reported: level },
    });
  });

  it.each([
    ['ones', new Uint8Array(32).fill(0xff), 'ff'],
    ['zeros', new Uint8Array(32), '00'],
  ])('leaves measured values alone that equal a nonce of %s', (_, nonce, byte) => {
    const check = {
      id: 'snp_reference',
      result: 'fail',
      about: '/evidence',
      expected: byte.repeat(32),
      actual: null,
      detail: byte.repeat(32),
      policy: null,
    } as const;
    const { parsed } = contentOf({ checks: [check as never] }, { nonce });
    expect(parsed.decision.checks).toMatchObject([{ expected: byte.repeat(32), detail: byte.repeat(32) }]);
  });

  it('withholds the longest of what begins alike, once, and no value changes the digest of another', () => {
    const values = ['machine-1', 'machine-12', ...[...'0123456789abcdef'].map((digit) => `sha256:${digit}`)];
    const check = {
      id: 'hcl_reference',
      result: 'fail',
      about: '/evidence',
      expected: values.slice(0, 2),
      actual: values.slice(2, 10),
      detail: 'machine-12 and machine-1, machine-',
      policy: null,
    } as const;
    const [one, other] = values.map((text) => withheldBytes(Buffer.from(text)));
    const { parsed } = contentOf({ checks: [check], claims: claims({ snp: { chipId: CHIP_ID } }) });
    expect(parsed.decision.checks[0].detail).toBe(`${other} and ${one}, machine-`);
    expect(parsed.decision.checks[0].expected).toEqual([one, other]);
    expect(parsed.decision.claims.snp.chipId).toBe(withheldHex(CHIP_ID));
  });

  it('leaves short values in texts alone, as they may only look alike', () => {
    const check = {
      id: 'hcl_paravisor',
      result: 'fail',
      about: '/evidence',
      expected: null,
      actual: '0a0b',
      detail: '0a',
      policy: null,
    } as const;
    const { parsed } = contentOf({ checks: [check], claims: claims({ hcl: { userData: '0a' } }) });
    expect(parsed.decision.claims.hcl).toEqual({ userData: withheldHex('0a') });
    expect(parsed.decision.checks[0]).toMatchObject({ actual: '0a0b', detail: '0a' });
  });

  it('keeps values that are no text, and empty text', () => {
    const { parsed } = contentOf({ claims: claims({ hcl: { userData: null }, snp: { chipId: '', vmpl: 0 } }) });
    expect(parsed.decision.claims).toEqual({ hcl: { userData: null }, snp: { chipId: '', vmpl: 0 } });
  });

  /** A finding about a rule, whose texts repeat a claim. */
  const ruleAbout = (text: string) =>
    ({
      id: 'rule_not_met',
      result: 'fail',
      about: '/evidence',
      expected: 'payments',
      actual: text,
      detail: `the rule is false: it names ${text}`,
      policy: 'payments',
    }) as const;

  it.each([
    ['client-payload', { 'client-payload': { nonce: 'chosen-by-the-caller' } }],
    ['nonce', { nonce: 'chosen-by-the-caller' }],
    ['verifier_nonce', { verifier_nonce: { val: 'chosen-by-the-caller' } }],
    ['a key of the vTPM', { 'x-ms-runtime': { keys: [{ kid: 'HCLAkPub', n: 'chosen-by-the-caller' }] } }],
    ['a claim by any name', { 'x-ms-isolation-tee': { more: ['chosen-by-the-caller'] } }],
    ['a listed claim of another form', { secureboot: { nested: 'chosen-by-the-caller' } }],
    ['an identifier of another form', { 'user-data': ['chosen-by-the-caller'] }],
  ])('AUD-04 has nothing of a token in the texts of checks that it does not record: %s', (_, members) => {
    const { content, parsed } = contentOf({
      checks: [ruleAbout('chosen-by-the-caller')],
      claims: claims({ maa: { claims: members } }),
    });
    const digest = withheldBytes(Buffer.from('chosen-by-the-caller'));
    expect(content).not.toContain('chosen-by-the-caller');
    expect(parsed.decision.checks).toMatchObject([{ actual: digest, detail: `the rule is false: it names ${digest}` }]);
  });

  it('AUD-04 has nothing of the configuration of a VM in the texts of checks that it does not record', () => {
    const { content } = contentOf({
      checks: [ruleAbout('written by the guest')],
      claims: claims({ hcl: { vmConfiguration: { note: 'written by the guest' } } }),
    });
    expect(content).not.toContain('written by the guest');
  });

  it('AUD-04 records no texts of checks where a token has too many values to look for', () => {
    const values = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`name${index}`, `machine-${index}`]),
    );
    const { content, parsed } = contentOf({
      checks: [ruleAbout('machine-9999')],
      claims: claims({ maa: { claims: { 'client-payload': values } } }),
    });
    expect(content).not.toContain('machine-9999');
    expect(parsed.decision.checks).toMatchObject([
      { id: 'rule_not_met', detail: 'not recorded: the evidence has too many values to keep out of the log' },
    ]);
  });

  it('withholds nothing where evidence is kept', () => {
    const check = {
      id: 'snp_chip_id',
      result: 'fail',
      about: '/',
      detail: CHIP_ID,
      policy: null,
      waived: false,
    } as const;
    const recorded = judged({
      checks: [{ ...check, expected: CHIP_ID, actual: CHIP_ID }],
      claims: claims({ snp: { chipId: CHIP_ID } }),
    });
    const { content } = decisionContent(
      { ...recorded, inputs: { sha256: 'cd'.repeat(32), objects: [] } },
      { salt: SALT, time: TIME, version: '0.1.0' },
    );
    expect(JSON.parse(content)).toMatchObject({
      inputs: 'cd'.repeat(32),
      decision: { checks: [{ ...check, expected: CHIP_ID, actual: CHIP_ID }], claims: { snp: { chipId: CHIP_ID } } },
    });
  });
});

describe('AUD-01 the content of a decision', () => {
  const CHECK = { about: '/evidence', detail: 'says', policy: null, expected: null, actual: null } as const;
  const whole = () =>
    contentOf({
      policies: [policy('payments')],
      checks: [
        { ...CHECK, id: 'snp_debug', result: 'warn' },
        { ...CHECK, id: 'snp_signature', result: 'pass' },
      ],
    });

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
    ['decision', 'quietChecks'],
    ['decision', 'quietChecks', 0],
    ['decision', 'quietChecks', 0, 'ids'],
    ['decision', 'quietChecks', 0, 'ids', 0],
    ['decision', 'quietChecks', 0, 'result'],
    ['decision', 'quietChecks', 0, 'about'],
  ])('has its form: %s %s %s %s', (...path) => {
    expect([undefined, 7.5, [7]].map((value) => readContent(changed(path, value)))).toEqual([null, null, null]);
  });

  it('has the id of a decision, and codes as reasons', () => {
    expect(readContent(changed(['decision', 'quietChecks', 0, 'policy'], 7))).toBeNull();
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
