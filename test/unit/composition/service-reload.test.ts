import { beforeEach, describe, expect, it } from 'vitest';
import type { PreparedAccess, ReloadedAccess } from '../../../src/composition/reloaded-access.js';
import { ServiceReload } from '../../../src/composition/service-reload.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/model/errors.js';
import { type PreparedPart, unfitPart } from '../../../src/model/reload.js';
import { RecordingLog } from '../endorsements/recording-log.js';

const CONFIGURATION = loadConfiguration({ text: '{}', environment: {} });
const ACCESS = 'callers and listen.tls';

let log: RecordingLog;
/** What was done, in its order. */
let done: string[];

beforeEach(() => {
  [log, done] = [new RecordingLog(), []];
});

const part = (name: string, commit = () => {}): { prepareReload(): Promise<PreparedPart> } => ({
  prepareReload: async () => {
    done.push(`read ${name}`);
    await new Promise((resolve) => setImmediate(resolve));
    const committed = () => {
      commit();
      done.push(`use ${name}`);
    };
    return { name, isFit: true, commit: committed, discard: async () => void done.push(`drop ${name}`) };
  },
});

function reloadOf(changed: Partial<ConstructorParameters<typeof ServiceReload>[0]> = {}): ServiceReload {
  const access = {
    prepareReload: async (): Promise<PreparedAccess> => ({
      commit: () => {
        done.push('use access');
        return { tookOver: [], needRestart: [], configuration: CONFIGURATION };
      },
      discard: async () => void done.push('drop access'),
    }),
  };
  return new ServiceReload({
    policies: part('policies'),
    roots: part('roots'),
    receiptKeys: part('receipt keys'),
    endorsements: { prepareReload: async () => [] },
    tracing: { prepareReload: async () => [] },
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
  it('reads everything before it puts anything in force', async () => {
    await reloadOf().run(read);
    const lastRead = done.findLastIndex((what) => what.startsWith('read'));
    const firstUse = done.findIndex((what) => what.startsWith('use'));
    expect(firstUse).toBeGreaterThan(lastRead);
    expect(done.filter((what) => what.startsWith('use'))).toEqual([
      'use policies',
      'use roots',
      'use receipt keys',
      'use access',
    ]);
    expect(log.of(/^reloaded$/)).toMatchObject([{ keptAsBefore: [], needRestart: [] }]);
  });

  it('comes after the one that was asked for before it', async () => {
    const reload = reloadOf({ receiptKeys: { prepareReload: async () => [] } });
    await Promise.all([reload.run(read), reload.run(read)]);
    const once = ['read policies', 'read roots', 'use policies', 'use roots', 'use access'];
    expect(done.filter((what) => /^(read|use)/.test(what))).toEqual([...once, ...once]);
  });

  it('keeps what cannot be used, and takes the rest', async () => {
    await reloadOf({ roots: { prepareReload: async () => unfitPart('roots') } }).run(read);
    expect(done).toContain('kept roots');
    expect(done).toContain('use policies');
    expect(log.of(/^reloaded in part/)).toMatchObject([{ keptAsBefore: ['roots'] }]);
  });

  it('keeps who may call where the configuration cannot be read, and says why', async () => {
    await reloadOf().run(async () => Promise.reject(new ConfigurationError(['listen: is no object'])));
    expect(done).toContain(`kept ${ACCESS}`);
    expect(log.of(/^callers and TLS material not reloaded/)).toEqual([{ problems: ['listen: is no object'] }]);
  });

  it('keeps a part that cannot be put in force after all, and says so', async () => {
    const fails = () => {
      throw new Error('the listener does not take it');
    };
    await reloadOf({ roots: part('roots', fails) }).run(read);
    expect(done).toContain('kept roots');
    expect(log.of(/read again, and cannot be used/)).toMatchObject([{ part: 'roots' }]);
  });

  it('puts those parts in force that it is told, and drops the others', async () => {
    const prepared = await reloadOf().prepare(read);
    expect(prepared.parts.map(({ name }) => name)).toEqual(['policies', 'roots', 'receipt keys', ACCESS]);
    expect(prepared.commit(new Set(['policies']))).toEqual(['policies']);
    expect(done.filter((what) => /^(use|drop)/.test(what))).toEqual([
      'drop roots',
      'drop receipt keys',
      'drop access',
      'use policies',
    ]);
  });

  it('changes nothing where it is dropped', async () => {
    await (await reloadOf().prepare(read)).discard();
    expect(done.filter((what) => /^(use|took|kept)/.test(what))).toEqual([]);
    expect(done.filter((what) => what.startsWith('drop'))).toHaveLength(4);
  });
});
