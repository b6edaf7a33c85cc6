import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import { createAmdPki, createAzureAkPki } from '../../lab/index.js';
import { call, LabService, lenientPolicy, MovableClock } from './lab-service.js';

const DAY = 24 * 60 * 60 * 1000;
const keyOf = (name: string) => `key-of-${name}-0123456789abcdef`;
const HEADERS = { 'x-api-key': keyOf('metrics') };

/** A day from now, from its first instant in UTC: between `days - 1` and `days` days away. */
const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);

const caller = (name: string, expires: string) => ({
  apiKeySha256: createHash('sha256').update(keyOf(name)).digest('hex'),
  expires,
  roles: ['verify', 'metrics'],
});

const waiver = (check: string, expires: string) => ({ check, reason: 'known', approver: 'alice', expires });

const policyWith = (waivers: readonly object[]) => lenientPolicy('waiving', { waivers, freshness: 'required' });

let lab: LabService;

beforeAll(async () => {
  lab = await LabService.create();
});

afterEach(() => lab.stop());

afterAll(() => lab.close());

/** Warnings of what has ended or ends, in what was logged since. */
const warnings = (before: number) =>
  lab.output
    .slice(before)
    .split('\n')
    .filter((line) => /"msg":"(an API key|a waiver|an issuer|a CRL)/.test(line))
    .map((line) => JSON.parse(line));

async function secondsOf(service: RunningService, series: string): Promise<number | null> {
  const { body } = await call(service.url, '/metrics', { headers: HEADERS });
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

describe('an API key', () => {
  const callers = {
    ended: caller('ended', inDays(-1)),
    ending: caller('ending', inDays(10)),
    lasting: caller('metrics', '2099-01-01'),
  };

  it('DEC-14 that ended yesterday, or ends in ten days, is a warning at start and at each reload', async () => {
    const expected = [
      { level: 'warn', caller: 'ended', daysLeft: 0, msg: 'an API key has expired: requests with it are rejected' },
      { level: 'warn', caller: 'ending', daysLeft: 9, msg: 'an API key expires soon' },
    ];
    const before = lab.output.length;
    const service = await lab.start({ callers }, {}, 'keys');
    expect(warnings(before)).toMatchObject(expected);
    const started = lab.output.length;
    await service.reload();
    expect(warnings(started)).toMatchObject(expected);
  });

  it('DEC-14 is in the metrics with the seconds until its end', async () => {
    const clock = new MovableClock();
    const service = await lab.start({ callers }, { clock }, 'key-metrics');
    const seconds = (name: string) =>
      secondsOf(service, `veritee_api_key_expiry_seconds{caller="${name}",key="current"}`);
    expect(await seconds('ended')).toBeLessThan(0);
    const left = (Date.parse(callers.ending.expires) - Date.now()) / 1000;
    expect(Math.abs(Number(await seconds('ending')) - left)).toBeLessThan(60);
    clock.advance(11 * DAY);
    expect(await seconds('ending')).toBeLessThan(0);
    expect(await seconds('lasting')).toBeGreaterThan(0);
  });
});

describe('an issuer of attestation keys', () => {
  it('that has ended, or ends in ten days, is a warning at start and at each reload', async () => {
    const pki = createAzureAkPki();
    const intermediates = join(lab.root, 'issuers');
    await mkdir(intermediates);
    const put = (name: string, days: number) => {
      const notAfter = new Date(Date.now() + days * DAY + DAY / 2);
      return writeFile(join(intermediates, name), pki.issueAuthority('ca24', { notAfter }).der);
    };
    await Promise.all([put('a.crt', -1), put('b.crt', 10), put('c.crt', 100)]);
    const expected = [
      {
        level: 'warn',
        file: 'a.crt',
        subject: expect.stringContaining('CN='),
        daysLeft: 0,
        msg: 'an issuer of AK certificates has expired: chains with it fail today',
      },
      { level: 'warn', file: 'b.crt', daysLeft: 10, msg: 'an issuer of AK certificates expires soon' },
    ];
    const before = lab.output.length;
    const service = await lab.start({ tpm: { intermediates } }, {}, 'issuers');
    expect(warnings(before)).toMatchObject(expected);
    const started = lab.output.length;
    await service.reload();
    expect(warnings(started)).toMatchObject(expected);
  });
});

describe('a CRL of the folder', () => {
  it('that has ended, or ends in ten days, is a warning at start and at each reload, and in the metrics', async () => {
    const chains = join(lab.root, 'lists');
    await mkdir(chains);
    const put = (name: string, days: number) => {
      const nextUpdate = new Date(Date.now() + days * DAY + DAY / 2);
      return writeFile(join(chains, name), createAmdPki().issueCrl({ product: 'Milan', overrides: { nextUpdate } }));
    };
    await Promise.all([put('a.crl', -1), put('b.crl', 10), put('c.crl', 100)]);
    const fields = { level: 'warn', key: 'amd.chains', subject: 'CRL of ARK-Milan' };
    const expected = [
      {
        ...fields,
        file: 'a.crl',
        daysLeft: 0,
        msg: 'a CRL has expired: without a newer one, checks that need it are crl_stale',
      },
      { ...fields, file: 'b.crl', daysLeft: 10, msg: 'a CRL expires soon' },
    ];
    const before = lab.output.length;
    const callers = { metrics: caller('metrics', '2099-01-01') };
    const service = await lab.start({ callers, amd: { chains, kds: 'off' } }, {}, 'lists');
    expect(warnings(before)).toMatchObject(expected);
    const started = lab.output.length;
    await service.reload();
    expect(warnings(started)).toMatchObject(expected);
    const seconds = (file: string) =>
      secondsOf(service, `veritee_endorsement_expiry_seconds{key="amd.chains",file="${file}"}`);
    expect(await seconds('a.crl')).toBeLessThan(0);
    expect(Math.abs(Number(await seconds('c.crl')) - (100.5 * DAY) / 1000)).toBeLessThan(120);
  });
});

describe('a waiver', () => {
  const waivers = [
    waiver('crl_unavailable', inDays(-1)),
    waiver('nonce_stale', inDays(10)),
    waiver('snp_product_advisory', '2099-01-01'),
  ];
  const expected = [
    {
      level: 'warn',
      policy: 'waiving',
      pointer: '/waivers/0',
      check: 'crl_unavailable',
      approver: 'alice',
      daysLeft: 0,
      msg: 'a waiver has expired: it covers nothing any more',
    },
    {
      level: 'warn',
      policy: 'waiving',
      pointer: '/waivers/1',
      check: 'nonce_stale',
      daysLeft: 9,
      msg: 'a waiver expires soon',
    },
  ];

  it('DEC-14 that ended yesterday, or ends in ten days, is a warning when it is read', async () => {
    await lab.writePolicy(policyWith(waivers));
    const before = lab.output.length;
    const service = await lab.start({}, {}, 'waivers');
    expect(warnings(before)).toMatchObject(expected);
    await lab.writePolicy(policyWith(waivers.slice(2)));
    await service.reload();
    const calm = lab.output.length;
    await service.reload();
    expect(warnings(calm)).toEqual([]);
    await lab.writePolicy(policyWith(waivers));
    await service.reload();
    expect(warnings(calm).slice(0, 2)).toMatchObject(expected);
  });

  it('DEC-14 is in the metrics with the seconds until its end, and no longer than it is in force', async () => {
    const callers = { metrics: caller('metrics', '2099-01-01') };
    await lab.writePolicy(policyWith(waivers));
    const service = await lab.start({ callers }, {}, 'waiver-metrics');
    const seconds = (index: number) =>
      secondsOf(
        service,
        `veritee_waiver_expiry_seconds{tenant="default",policy="waiving",waiver="${index}",check="${waivers[index]?.check}"}`,
      );
    expect(await seconds(0)).toBeLessThan(0);
    const left = (Date.parse(waivers[1]?.expires ?? '') - Date.now()) / 1000;
    expect(Math.abs(Number(await seconds(1)) - left)).toBeLessThan(60);
    await lab.writePolicy(policyWith(waivers.slice(0, 1)));
    await service.reload();
    expect(await seconds(0)).toBeLessThan(0);
    expect(await seconds(1)).toBeNull();
  });
});
