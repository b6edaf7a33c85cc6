import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { SharingReplicas } from '../stores/shared-endorsements.js';
import { Valkey } from '../stores/valkey.js';
import { AmdLab, type Opened } from './amd-lab.js';

/** A lab of AMD's for each test, and replicas in it that share one store. */
export interface SharedLab {
  readonly lab: AmdLab;
  readonly valkey: Valkey;
  /** One with a cache folder of this name. */
  replica(name: string): Promise<Opened>;
}

/** Starts and closes it around the tests of the suite that calls this. Its members are there while a test runs. */
export function sharedLab(): SharedLab {
  const replicas = new SharingReplicas();
  let valkey: Valkey;
  let lab: AmdLab;

  beforeAll(async () => {
    valkey = await Valkey.start();
  });

  beforeEach(async () => {
    await valkey.command('flushall');
    lab = await AmdLab.start();
  });

  afterEach(async () => {
    await lab.close();
    await replicas.close();
  });

  afterAll(() => valkey.close());

  return {
    get lab() {
      return lab;
    },
    get valkey() {
      return valkey;
    },
    replica: async (name) => {
      const shared = await replicas.fetches(valkey.port, { clock: lab.clock });
      return lab.open({ shared, cacheFolder: lab.path(name) });
    },
  };
}
