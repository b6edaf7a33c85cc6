import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AMD_SERIALS } from '../../lab/index.js';
import { LabService, lenientPolicy, PKI, verdictOf } from './lab-service.js';

let lab: LabService;

beforeEach(async () => {
  lab = await LabService.create();
  await lab.writePolicy(lenientPolicy('plain'));
});

afterEach(async () => {
  await lab.close();
});

const OFF = { amd: { kds: 'off' } };
const CRL = PKI.issueCrl({ product: 'Milan' });
const REVOKING = PKI.issueCrl({ product: 'Milan', revoked: [{ serial: AMD_SERIALS.Milan.ask }] });
const NEWER = PKI.issueCrl({ product: 'Milan', number: 9 });

async function fill(files: { readonly [name: string]: Uint8Array | string }): Promise<void> {
  await mkdir(lab.chainFolder, { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(lab.chainFolder, name), content);
}

/** Key certificate and chain come with the request, and the lists given. */
const bringing = (policy: string, ...crls: readonly Uint8Array[]) => ({
  endorsements: { crls },
  members: { policy },
});

type Found = Awaited<ReturnType<LabService['verify']>>;
const line = ({ body }: Found, id: string) => body.checks.find((check: { id: string }) => check.id === id);

describe('a CRL that only the request has', () => {
  it('CRT-10 counts where KDS is off, with the warning crl_unconfirmed, and is not kept', async () => {
    const service = await lab.start(OFF);
    const answer = await lab.verify(service, bringing('plain', CRL));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(line(answer, 'crl_unconfirmed')).toMatchObject({ result: 'warn', policy: null });
    expect(verdictOf(await lab.verify(service, bringing('plain')))).toEqual(['indeterminate', 'crl_unavailable']);
  });

  it('CRT-10 counts where KDS is out of reach, and not where it answers', async () => {
    const service = await lab.start();
    expect(line(await lab.verify(service, bringing('plain', CRL)), 'crl_unconfirmed')).toBeUndefined();
    const fresh = await lab.start({}, {}, 'fresh');
    lab.kds.fail(/crl/, { status: 503 });
    expect(line(await lab.verify(fresh, bringing('plain', CRL)), 'crl_unconfirmed')).toMatchObject({ result: 'warn' });
  });

  it('is a warning that a waiver can name', async () => {
    const waiver = { check: 'crl_unconfirmed', reason: 'isolated', approver: 'security', expires: '2099-01-01' };
    await lab.writePolicy(lenientPolicy('waived', { waivers: [waiver] }));
    const answer = await lab.verify(await lab.start(OFF), bringing('waived', CRL));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(line(answer, 'crl_unconfirmed')).toMatchObject({
      result: 'warn',
      policy: 'waived',
      detail: expect.stringContaining('waived by security until 2099-01-01: isolated'),
    });
  });
});

describe('two genuine CRLs', () => {
  it.each([
    ['in the folder', { 'a.crl': REVOKING, 'b.crl': NEWER }, []],
    ['in the request', {}, [REVOKING, NEWER]],
    ['the one that revokes in the folder', { 'a.crl': REVOKING }, [NEWER]],
    ['the one that revokes in the request', { 'b.crl': NEWER }, [REVOKING]],
  ])('SNP-28 deny where the lower number revokes: %s', async (_, files, crls) => {
    await fill(files);
    const service = await lab.start(OFF);
    expect(verdictOf(await lab.verify(service, bringing('plain', ...crls)))).toEqual(['deny', 'cert_revoked']);
  });

  it('SNP-28 deny where KDS has the newer one of the series, and the folder the one that revokes', async () => {
    lab.kds.serveCrl('Milan', 'vcek', NEWER);
    await fill({ 'a.crl': REVOKING });
    const service = await lab.start();
    expect(verdictOf(await lab.verify(service, bringing('plain')))).toEqual(['deny', 'cert_revoked']);
  });

  it('SNP-28 deny by the list of KDS for VCEKs, whatever the number of that for VLEKs is', async () => {
    lab.kds.serveCrl('Milan', 'vcek', REVOKING);
    lab.kds.serveCrl('Milan', 'vlek', NEWER);
    const service = await lab.start();
    expect(verdictOf(await lab.verify(service, bringing('plain', NEWER)))).toEqual(['deny', 'cert_revoked']);
  });
});

describe('a CRL that was fetched more than 48 hours ago, after a restart', () => {
  const FETCHED = new Date(Date.now() - 49 * 60 * 60_000);

  /** A service whose cache has a CRL that KDS served two days ago. */
  async function restarted(keys: { readonly amd?: object } = {}) {
    const before = await lab.start({}, {}, 'again');
    expect(verdictOf(await lab.verify(before, bringing('plain')))).toEqual(['allow']);
    await before.close();
    const [file = ''] = await fetchedFiles();
    await writeFile(file, `${FETCHED.toISOString()}\n`);
    return () => lab.start(keys, {}, 'again');
  }

  async function fetchedFiles(): Promise<readonly string[]> {
    const names = await readdir(join(lab.root, 'again'), { recursive: true });
    return names.filter((name) => name.endsWith('crl-fetched-milan-vcek')).map((name) => join(lab.root, 'again', name));
  }

  const crlOf = ({ body }: Found) => body.endorsements.find((used: { kind: string }) => used.kind === 'crl');

  it('CRT-40 denies the first request by what KDS serves now', async () => {
    const start = await restarted();
    lab.kds.serveCrl(
      'Milan',
      'vcek',
      PKI.issueCrl({ product: 'Milan', number: 9, revoked: [{ serial: AMD_SERIALS.Milan.ask }] }),
    );
    expect(verdictOf(await lab.verify(await start(), bringing('plain')))).toEqual(['deny', 'cert_revoked']);
  });

  it('CRT-40 is confirmed by KDS, which the answer dates', async () => {
    const begun = Date.now();
    const answer = await lab.verify(await (await restarted())(), bringing('plain'));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(line(answer, 'crl_unconfirmed')).toBeUndefined();
    expect(Date.parse(crlOf(answer).fetchedAt)).toBeGreaterThanOrEqual(begun);
  });

  it('CRT-41 allows with a warning where KDS does not answer, and says when it was fetched', async () => {
    const start = await restarted();
    lab.kds.fail(/crl/, { status: 503 });
    const answer = await lab.verify(await start(), bringing('plain'));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(line(answer, 'crl_unconfirmed')).toMatchObject({ result: 'warn', waived: false });
    expect(crlOf(answer)).toMatchObject({ source: 'cache', fetchedAt: FETCHED.toISOString() });
  });

  it('CRT-41 allows without a warning where KDS is off', async () => {
    const answer = await lab.verify(await (await restarted(OFF))(), bringing('plain'));
    expect(verdictOf(answer)).toEqual(['allow']);
    expect(line(answer, 'crl_unconfirmed')).toBeUndefined();
  });
});
