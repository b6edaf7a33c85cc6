import { describe, expect, it } from 'vitest';
import { EntrySeal } from '../../../src/endorsements/replicas/sealed-entries.js';
import { hex } from '../../../src/model/bytes.js';
import { KEY } from '../stores/shared-challenges.js';
import { isWithoutValkey } from '../stores/valkey.js';
import { CHIP, DAY_MS, find, issueCrl, NOW, type Opened, pki, requestFor, TCB } from './amd-lab.js';
import { sharedLab } from './shared-lab.js';

const [ENTRIES, ENDS] = ['{veritee}:endorsements:entries', '{veritee}:endorsements:ends'];
const days = (count: number) => new Date(NOW.getTime() + count * DAY_MS);
const vcekFor = (from: number, to: number) =>
  pki.issueVcek({
    product: 'Milan',
    chipId: CHIP,
    tcb: TCB,
    overrides: { notBefore: days(from), notAfter: days(to) },
  }).der;

describe.skipIf(isWithoutValkey('what ends in a shared store'))('what ends in a shared store', () => {
  const shared = sharedLab();
  const seal = new EntrySeal(KEY);

  /** Where the VCEK is from, and its digest; or why there is none. */
  async function vekOf(opened: Opened): Promise<readonly unknown[]> {
    const { vek } = await find(opened, requestFor(), { at: shared.lab.clock.now() });
    return vek === null || 'code' in vek ? [vek?.code] : [vek.origin, hex(vek.value.der)];
  }

  /** How long an entry lives yet, in days; null where there is none. */
  async function lifeOf(kind: 'vcek' | 'crl', path: RegExp): Promise<number | null> {
    const key = shared.lab.kds.requests.find((url) => path.test(url)) ?? '';
    const id = seal.id({ kind, origin: shared.lab.kds.origin, key });
    if ((await shared.valkey.command('hexists', ENTRIES, id)) === 0) return null;
    return Math.round((Number(await shared.valkey.command('zscore', ENDS, id)) - Date.now()) / DAY_MS);
  }

  it('a VCEK that has ended keeps no replica from asking AMD for the next one', async () => {
    shared.lab.kds.serveVcek('Milan', CHIP, TCB, vcekFor(-300, 1));
    const one = await shared.replica('one');
    await vekOf(one);
    const next = vcekFor(0, 300);
    shared.lab.kds.serveVcek('Milan', CHIP, TCB, next);
    shared.lab.clock.advance(2 * DAY_MS);
    expect(await vekOf(one)).toEqual(['network', hex(next)]);
    expect(await vekOf(await shared.replica('other'))).toEqual(['cache', hex(next)]);
  });

  it('a VCEK lives there no longer than its notAfter', async () => {
    shared.lab.kds.serveVcek('Milan', CHIP, TCB, vcekFor(-300, 3));
    await vekOf(await shared.replica('one'));
    expect(await lifeOf('vcek', /SPL/)).toBe(3);
  });

  it('a VCEK that has ended already is not put there', async () => {
    shared.lab.kds.serveVcek('Milan', CHIP, TCB, vcekFor(-300, -1));
    await vekOf(await shared.replica('one'));
    expect(await lifeOf('vcek', /SPL/)).toBeNull();
  });

  it('CRT-41 a CRL that another replica fetched more than 48 hours ago counts as unconfirmed where KDS does not answer', async () => {
    const { lab } = shared;
    lab.kds.serveCrl('Milan', 'vcek', issueCrl(5, -1, 30));
    await vekOf(await shared.replica('one'));
    lab.kds.fail(/crl/, { status: 503 });
    const crlFor = async (name: string) => {
      const { crls } = await find(await shared.replica(name), requestFor(), { at: lab.clock.now() });
      return crls.get('Milan');
    };
    expect(await crlFor('early')).not.toHaveProperty('unconfirmed');
    lab.clock.advance(3 * DAY_MS);
    expect(await crlFor('late')).toMatchObject({
      origin: 'cache',
      fetchedAt: NOW,
      unconfirmed: 'AMD KDS serves none to this replica, and another one fetched it before',
    });
  });

  it('CRT-09 a CRL lives there no longer than its nextUpdate', async () => {
    shared.lab.kds.serveCrl('Milan', 'vcek', issueCrl(5, -1, 7));
    await vekOf(await shared.replica('one'));
    expect(await lifeOf('crl', /crl/)).toBe(7);
  });
});
