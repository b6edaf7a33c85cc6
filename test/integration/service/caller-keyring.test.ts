import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CallerKeyring } from '../../../src/app/open-callers.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { CallerKeyPlace } from '../../../src/endorsements/token-keys/open-caller-keys.js';
import { LabCallerIssuer } from '../../lab/caller-issuer.js';
import { TlsAuthority } from '../../lab/index.js';
import { FakeLog } from '../../unit/judge/fakes.js';

/** Key sets of issuers of callers over reloads: which are used on, and which are closed. */

let issuer: LabCallerIssuer;
let folder = '';

beforeAll(async () => {
  issuer = await LabCallerIssuer.start();
  folder = mkdtempSync(join(tmpdir(), 'veritee-keyring-'));
});
afterAll(async () => {
  await issuer.close();
  rmSync(folder, { recursive: true });
});

const place = (keys: string): CallerKeyPlace => ({
  issuer: issuer.issuer,
  keys,
  ca: null,
  tokenFile: null,
  tenantId: null,
  path: ['callers', 'git', 'oidc'],
});
const options = () => ({
  clock: SYSTEM_CLOCK,
  log: new FakeLog(),
  folder,
  connect: { ca: issuer.authorityPem },
});

/** Names of the keys, or why there are none. */
async function found(keyring: CallerKeyring, at: CallerKeyPlace): Promise<readonly string[]> {
  const keys = await keyring.of(at).find('caller-1', AbortSignal.timeout(5_000));
  return 'code' in keys ? [keys.code] : [...keys.value.keys.keys()];
}

describe('the keys of callers', () => {
  const there = () => place(issuer.keysUrl);

  it('of a place that stays are used on, without another fetch', async () => {
    const first = await CallerKeyring.NONE.next([there()], options());
    expect(await found(first, there())).toEqual(['caller-1']);
    const before = issuer.count();
    const second = await first.next([there(), place('discovery')], options());
    expect(await found(second, there())).toEqual(['caller-1']);
    expect(issuer.count()).toBe(before);
    await second.close();
  });

  it('are asked for with the query of their place', async () => {
    const at = place(`${issuer.keysUrl}?appid=a%20b&c=d`);
    const keyring = await CallerKeyring.NONE.next([at], options());
    const before = issuer.requests.length;
    expect(await found(keyring, at)).toEqual(['caller-1']);
    expect(issuer.requests.slice(before)).toEqual(['/tenant/keys?appid=a%20b&c=d']);
    await keyring.close();
  });

  it('that were opened for nothing are closed, and those before stay in use', async () => {
    issuer.keyNames = ['caller-1'];
    const first = await CallerKeyring.NONE.next([there()], options());
    const second = await first.next([there(), place('discovery')], options());
    await second.discard();
    expect(await found(first, there())).toEqual(['caller-1']);
    const before = issuer.count();
    rmSync(folder, { recursive: true, force: true });
    expect(await found(second, place('discovery'))).not.toEqual(['caller-1']);
    expect(issuer.count()).toBe(before);
    await first.close();
  });

  it('that are not wanted any more are closed at the reload after the next', async () => {
    const first = await CallerKeyring.NONE.next([there()], options());
    const second = await first.next([], options());
    expect(await found(first, there())).toEqual(['caller-1']);
    await second.closeRetired();
    const fresh = { ...there() };
    const before = issuer.count();
    await first.of(fresh).find('an-unknown-key', AbortSignal.timeout(5_000));
    expect(issuer.count()).toBe(before);
    await second.close();
  });

  it('of a place that was not opened are a mistake', () => {
    expect(() => CallerKeyring.NONE.of(there())).toThrow('keys of a caller that were not opened');
  });
});

describe('keys of callers that were kept by an earlier service', () => {
  const path = (name: string) => join(folder, name);

  /** The key sets for a service that starts with this place. */
  async function atStart(at: CallerKeyPlace, from: LabCallerIssuer): Promise<readonly string[]> {
    const world = { clock: SYSTEM_CLOCK, log: new FakeLog(), folder: path('kept'), connect: { ca: from.authorityPem } };
    const keyring = await CallerKeyring.NONE.next([at], world);
    const names = await found(keyring, at);
    await keyring.close();
    return names;
  }

  beforeEach(() => rmSync(path('kept'), { recursive: true, force: true }));

  it('count through an outage at the same place, and at no other', async () => {
    const own = await LabCallerIssuer.start({ authorization: 'Bearer shown' });
    for (const [name, text] of Object.entries({ ca: own.authorityPem, token: 'shown', other: 'other' })) {
      writeFileSync(path(name), text);
    }
    const at = { ...place(own.keysUrl), issuer: own.issuer, ca: path('ca'), tokenFile: path('token') };
    expect(await atStart(at, own)).toEqual(['caller-1']);
    own.fail(/keys/, { status: 503 });
    expect(await atStart(at, own)).toEqual(['caller-1']);
    expect(await atStart({ ...at, tokenFile: path('other') }, own)).toEqual(['jwks_unavailable']);
    expect(await atStart({ ...at, keys: 'discovery' }, own)).toEqual(['jwks_unavailable']);
    expect(await atStart({ ...at, issuer: 'https://other.example' }, own)).toEqual(['jwks_unavailable']);
    writeFileSync(path('copy'), own.authorityPem);
    expect(await atStart({ ...at, ca: path('copy') }, own)).toEqual(['jwks_unavailable']);
    await own.close();
  });

  it('of another tenant of Entra do not count, whether fetched, kept or in a file', async () => {
    const own = await LabCallerIssuer.start();
    own.keyNames = ['caller-2', 'caller-1'];
    own.keyMembers = { 'caller-1': { issuer: `${own.origin}/another-tenant/v2.0` } };
    const [, tenantId = ''] = new URL(own.issuer).pathname.split('/');
    const at = { ...place(own.keysUrl), issuer: own.issuer };
    writeFileSync(path('set'), JSON.stringify(own.keySet));
    const places = [at, { ...at, keys: path('set') }];
    for (const one of places) expect(await atStart(one, own)).toEqual(['caller-2', 'caller-1']);
    for (const one of places) expect(await atStart({ ...one, tenantId }, own)).toEqual(['caller-2']);
    own.fail(/keys/, { status: 503 });
    // A set that is kept is looked at for the key that is asked for: without it, nobody knows whether the issuer has it.
    expect(await atStart(at, own)).toEqual(['caller-2', 'caller-1']);
    expect(await atStart({ ...at, tenantId }, own)).toEqual(['jwks_unavailable']);
    await own.close();
  });

  it('do not count under an authority that the issuer is not under, in the same file or in another', async () => {
    const tls = new TlsAuthority();
    const own = await LabCallerIssuer.start({ tls });
    const at = (name: string) => ({ ...place(own.keysUrl), issuer: own.issuer, ca: path(name) });
    const other = new TlsAuthority().pem;
    writeFileSync(path('old'), tls.pem);
    writeFileSync(path('new'), other);
    expect(await atStart(at('old'), own)).toEqual(['caller-1']);
    expect(await atStart(at('new'), own)).toEqual(['jwks_unavailable']);
    writeFileSync(path('old'), other);
    expect(await atStart(at('old'), own)).toEqual(['jwks_unavailable']);
    await own.close();
  });
});
