import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CallerKeyring } from '../../../../src/app/open-callers.js';
import { ReloadedAccess } from '../../../../src/app/reload/reloaded-access.js';
import { loadConfiguration } from '../../../../src/config/load-configuration.js';
import { ClockWatch } from '../../../../src/judge/clock-watch.js';
import { TlsAuthority } from '../../../lab/tls-authority.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'veritee-access-'));
  const { cert, key } = new TlsAuthority().issueForLoopback();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
});

afterAll(() => rmSync(folder, { recursive: true }));

function configurationWith(callers: object) {
  const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  return loadConfiguration({ text: JSON.stringify({ listen: { tls }, callers }), environment: {} });
}

const caller = (roles: readonly string[]) => ({
  gate: { apiKeySha256: 'ab'.repeat(32), expires: '2099-01-01', roles },
});

describe('callers and TLS material', () => {
  it('stay as they were where the listener does not take the material, and what was opened is closed', async () => {
    const log = new RecordingLog();
    const clock = new ClockWatch({ now: () => new Date('2026-03-01T12:00:00Z'), monotonicMs: () => 0 }, log);
    const before = configurationWith(caller(['verify']));
    const access = await ReloadedAccess.open(before, { clock, log });
    const { callers, tls } = access;
    const discard = vi.spyOn(CallerKeyring.prototype, 'discard');
    const endConnections = vi.fn();
    const exchangeTls = () => {
      throw new Error('the listener does not take it');
    };
    const reload = access.reload(configurationWith(caller(['metrics'])), {
      server: { exchangeTls, endConnections },
      management: null,
    });
    await expect(reload).rejects.toThrow('the listener does not take it');
    expect([access.configuration, access.callers, access.tls]).toEqual([before, callers, tls]);
    expect(discard).toHaveBeenCalledTimes(1);
    expect(endConnections).not.toHaveBeenCalled();
    discard.mockRestore();
    await access.close();
  });
});
