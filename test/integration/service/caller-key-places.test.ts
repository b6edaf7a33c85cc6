import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallerKeyring } from '../../../src/app/open-callers.js';
import { SYSTEM_CLOCK } from '../../../src/app/system.js';
import type { CallerKeyPlace } from '../../../src/endorsements/token-keys/open-caller-keys.js';
import { LabCallerIssuer } from '../../lab/caller-issuer.js';
import { TlsAuthority } from '../../lab/index.js';
import { FakeLog } from '../../unit/judge/fakes.js';

/** Which keys of callers count for which issuer, and under which authorities. */

const tls = new TlsAuthority();
const OTHER_AUTHORITY = new TlsAuthority('others').pem;

let folder: string;
let issuer: LabCallerIssuer;
let twin: LabCallerIssuer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-places-'));
  writeCa(tls.pem);
  issuer = await LabCallerIssuer.start({ tls });
  twin = await LabCallerIssuer.start({ tls });
  twin.keyNames = ['caller-2'];
});

afterEach(async () => {
  await Promise.all([issuer.close(), twin.close()]);
  rmSync(folder, { recursive: true });
});

const ca = () => join(folder, 'ca.pem');
const writeCa = (pem: string) => writeFileSync(ca(), pem);
const place = (of: LabCallerIssuer, members: Partial<CallerKeyPlace> = {}): CallerKeyPlace => ({
  issuer: of.issuer,
  keys: 'discovery',
  ca: ca(),
  tokenFile: null,
  tenantId: null,
  path: ['callers', 'git', 'oidc'],
  ...members,
});

/** The keyring after this one: that of a start, or of a reload. */
const next = (keyring: CallerKeyring, ...places: readonly CallerKeyPlace[]) =>
  keyring.next(places, { clock: SYSTEM_CLOCK, log: new FakeLog(), folder: join(folder, 'kept') });

/** Names of the keys of the set that has this key or should, or why there is none. */
async function found(keyring: CallerKeyring, at: CallerKeyPlace, kid: string): Promise<readonly string[]> {
  const keys = await keyring.of(at).find(kid, AbortSignal.timeout(10_000));
  return 'code' in keys ? [keys.code] : [...keys.value.keys.keys()];
}

describe('keys of callers that were kept', () => {
  it('count for their own issuer alone, after a start during an outage', async () => {
    const places = [place(issuer), place(twin)] as const;
    const before = await next(CallerKeyring.NONE, ...places);
    expect(await found(before, places[0], 'caller-1')).toEqual(['caller-1']);
    expect(await found(before, places[1], 'caller-2')).toEqual(['caller-2']);
    await before.close();
    await Promise.all([issuer.connect('refused'), twin.connect('refused')]);
    const after = await next(CallerKeyring.NONE, ...places);
    expect(await found(after, places[0], 'caller-1')).toEqual(['caller-1']);
    expect(await found(after, places[1], 'caller-2')).toEqual(['caller-2']);
    expect(await found(after, places[0], 'caller-2')).toEqual(['jwks_unavailable']);
    expect(await found(after, places[1], 'caller-1')).toEqual(['jwks_unavailable']);
    await after.close();
  });
});

describe('keys of callers at a reload', () => {
  it('are not fetched again where the authorities of their place stay', async () => {
    const first = await next(CallerKeyring.NONE, place(issuer));
    expect(await found(first, place(issuer), 'caller-1')).toEqual(['caller-1']);
    const before = issuer.count();
    // As a projected volume does: another file of the same content.
    rmSync(ca());
    writeCa(tls.pem);
    const second = await next(first, place(issuer));
    expect(await found(second, place(issuer), 'caller-1')).toEqual(['caller-1']);
    expect(issuer.count()).toBe(before);
    await second.close();
  });

  it('are fetched again under other authorities', async () => {
    const first = await next(CallerKeyring.NONE, place(issuer));
    expect(await found(first, place(issuer), 'caller-1')).toEqual(['caller-1']);
    issuer.keyNames = ['caller-1', 'caller-2'];
    const before = issuer.count();
    writeCa(OTHER_AUTHORITY + tls.pem);
    const second = await next(first, place(issuer));
    // By a key that it has not yet: a fetch on a busy machine is waited for then.
    expect(await found(second, place(issuer), 'caller-2')).toEqual(['caller-1', 'caller-2']);
    // Its discovery document, and its keys.
    expect(issuer.count()).toBe(before + 2);
    await second.close();
  });

  it('are not fetched from whom the new authorities do not know', async () => {
    const first = await next(CallerKeyring.NONE, place(issuer));
    expect(await found(first, place(issuer), 'caller-1')).toEqual(['caller-1']);
    issuer.keyNames = ['caller-1', 'caller-2'];
    const before = issuer.count();
    writeCa(OTHER_AUTHORITY);
    const second = await next(first, place(issuer));
    expect(await found(second, place(issuer), 'caller-2')).toEqual(['jwks_unavailable']);
    expect(issuer.count()).toBe(before);
    await second.close();
  });

  it.each(['ca', 'tokenFile'] as const)('are as before where %s cannot be used any more', async (member) => {
    const token = join(folder, 'token');
    writeFileSync(token, 'token');
    const at = place(issuer, { tokenFile: token });
    const first = await next(CallerKeyring.NONE, at);
    expect(await found(first, at, 'caller-1')).toEqual(['caller-1']);
    writeFileSync(member === 'ca' ? ca() : token, '');
    await expect(next(first, at)).rejects.toThrow(`callers.git.oidc.${member}: `);
    expect(await found(first, at, 'caller-1')).toEqual(['caller-1']);
    await first.close();
  });
});
