import { beforeEach, describe, expect, it } from 'vitest';
import type { AccessReload, ReloadedAccess } from '../../../../src/app/reload/reloaded-access.js';
import { ServiceReload } from '../../../../src/app/reload/service-reload.js';
import { loadConfiguration } from '../../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../../src/core/errors.js';
import type { PartOutcome } from '../../../../src/core/reload.js';
import { RecordingLog } from '../../endorsements/recording-log.js';

const CONFIGURATION = loadConfiguration({ text: '{}', environment: {} });
const ACCESS = 'callers and listen.tls';

let log: RecordingLog;
/** The actions, in their order. */
let done: string[];

beforeEach(() => {
  [log, done] = [new RecordingLog(), []];
});

const part = (name: string): { reload(): Promise<PartOutcome> } => ({
  reload: async () => {
    done.push(`read ${name}`);
    await new Promise((resolve) => setImmediate(resolve));
    done.push(`use ${name}`);
    return { name, isTaken: true };
  },
});

function reloadOf(changed: Partial<ConstructorParameters<typeof ServiceReload>[0]> = {}): ServiceReload {
  const access = {
    reload: async (): Promise<AccessReload> => {
      done.push('use access');
      return { tookOver: [], needRestart: [], configuration: CONFIGURATION };
    },
  };
  return new ServiceReload({
    policies: part('policies'),
    roots: part('roots'),
    receiptKeys: part('receipt keys'),
    endorsements: { reload: async () => [] },
    tracing: { reload: async () => [] },
    access: access as unknown as ReloadedAccess,
    listeners: { server: { exchangeTls: () => {}, endConnections: () => {} }, management: null },
    log,
    onRead: (name, isTaken) => done.push(`${isTaken ? 'took' : 'kept'} ${name}`),
    onReloaded: () => {},
    ...changed,
  });
}

const read = async () => CONFIGURATION;

describe('A reload', () => {
  it('says once what came of every part', async () => {
    await reloadOf().run(read);
    const reread = ['policies', 'roots', 'receipt keys', ACCESS];
    expect(done.filter((what) => what.startsWith('took'))).toEqual(reread.map((name) => `took ${name}`));
    expect(log.of(/^reloaded$/)).toMatchObject([{ reread, keptAsBefore: [], needRestart: [] }]);
  });

  it('comes after the one that was asked for before it', async () => {
    const reload = reloadOf({ receiptKeys: { reload: async () => [] } });
    await Promise.all([reload.run(read), reload.run(read)]);
    const once = ['read policies', 'read roots', 'use access', 'use policies', 'use roots'];
    expect(done.filter((what) => /^(read|use)/.test(what))).toEqual([...once, ...once]);
  });

  it('keeps what cannot be used, and takes the rest', async () => {
    await reloadOf({ roots: { reload: async () => ({ name: 'roots', isTaken: false }) } }).run(read);
    expect(done).toContain('kept roots');
    expect(done).toContain('use policies');
    expect(log.of(/^reloaded in part/)).toMatchObject([{ keptAsBefore: ['roots'] }]);
  });

  it('keeps who may call where the configuration cannot be read, and says why', async () => {
    await reloadOf().run(async () => Promise.reject(new ConfigurationError(['listen: is no object'])));
    expect(done).toContain(`kept ${ACCESS}`);
    expect(log.of(/^callers and TLS material not reloaded/)).toEqual([{ problems: ['listen: is no object'] }]);
  });
});
