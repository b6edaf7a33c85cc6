import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LabService } from './lab-service.js';
import { OpenResources } from './open-resources.js';

const resources = new OpenResources();
const other = createServer();
let lab: LabService;

beforeAll(async () => {
  await once(other.listen(0, '127.0.0.1'), 'listening');
  lab = await LabService.create();
});

afterEach(() => resources.forget());

afterAll(async () => {
  resources.release();
  other.close();
  await lab.close();
});

const nowhere = join('nowhere', 'file.pem');
const takenPort = () => (other.address() as AddressInfo).port;

/** Both services that evidence may be sent to. */
const SUBMITTING = {
  maa: { submit: { endpoints: ['https://sharedweu.weu.attest.azure.net'] } },
  ita: { submit: { api: 'https://api.trustauthority.intel.com', apiKeyFile: nowhere } },
};

/** With the two agents for AMD's KDS, and those for Intel's collateral and for keys of token issuers. */
const WITH_ENDORSEMENTS = { metrics: 1, policies: 1, stores: 1, agents: 4 };

/** With the agents of both services too. */
const WITH_SERVICES = { ...WITH_ENDORSEMENTS, agents: 6 };

/** The store of challenges is opened last, with that of decisions. */
const WITHOUT_STORES = { stores: 0 };

/** The files of a folder, by their digests. */
async function filesOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(folder).catch(() => []);
  const digest = async (name: string) =>
    createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
  const files = await Promise.all(
    names
      .toSorted()
      .map(async (name) => ((await stat(join(folder, name))).isFile() ? [[name, await digest(name)]] : [])),
  );
  return Object.fromEntries(files.flat());
}

describe('a start that fails', () => {
  it.each([
    [
      'the port is taken',
      () => ({ listen: { port: takenPort() } }),
      { code: 'EADDRINUSE' },
      // Opened before anything that contacts somebody is made.
      { ...WITH_ENDORSEMENTS, stores: 0, agents: 0 },
    ],
    [
      'a certificate is missing',
      () => ({ listen: { port: 0, tls: { cert: nowhere, key: nowhere } } }),
      { problems: ['cert', 'key'].map((file) => `listen.tls.${file}: ${nowhere}: there is no such file`) },
      // Read before anything that contacts somebody is made.
      { ...WITH_ENDORSEMENTS, stores: 0, agents: 0 },
    ],
    [
      'roots of certificates are missing',
      () => ({ tpm: { roots: [nowhere] } }),
      { problems: [`tpm.roots: ${nowhere}: there is no such file`] },
      { ...WITH_SERVICES, ...WITHOUT_STORES },
    ],
    [
      'keys of an issuer are missing',
      () => ({ ita: { issuers: [{ issuer: 'own', keys: nowhere }] } }),
      { problems: [`ita.issuers: keys of own: ${nowhere}: there is no such file`] },
      { ...WITH_ENDORSEMENTS, ...WITHOUT_STORES },
    ],
  ])('because %s says so, and leaves nothing open', async (title, keys, error, opened) => {
    const start = lab.start({ ...SUBMITTING, ...keys() }, {}, title.replaceAll(' ', '-'));
    await expect(start).rejects.toMatchObject(error);
    expect(resources.closed()).toEqual(opened);
    if (opened.agents > 0) expect(resources.timersRun()).not.toEqual([]);
    expect(resources.timersRun()).not.toContain(true);
    await vi.waitFor(() => expect(resources.fileWatches).toBe(0));
  });

  describe('and the log', () => {
    const port = () => ({ listen: { port: takenPort() } });
    const management = () => ({ listen: { port: 0, management: { port: takenPort() } } });
    const policy = () => ({ policies: { directory: nowhere } });
    const key = () => ({ receipts: { key: nowhere } });
    const taken = { code: 'EADDRINUSE' };

    it.each([
      ['the port is taken', port, taken],
      ['the port of the management listener is taken', management, { cause: taken }],
      ['the folder of policies is missing', policy, { problems: [`policies.directory: ${nowhere} does not exist`] }],
      ['the key of receipts is missing', key, { problems: [`receipts.key: ${nowhere}: there is no such file`] }],
    ])('DLG-04 because %s leaves the log as it is, and makes none', async (title, keys, error) => {
      const [data, none] = [`kept-${title}`, `none-${title}`].map((name) => name.replaceAll(' ', '-'));
      const service = await lab.start({}, {}, data);
      await service.close();
      const before = await filesOf(join(lab.root, data ?? ''));
      expect(before).toHaveProperty('veritee.db');
      for (const each of [data, none]) await expect(lab.start(keys(), {}, each)).rejects.toMatchObject(error);
      expect(await filesOf(join(lab.root, data ?? ''))).toEqual(before);
      expect(await filesOf(join(lab.root, none ?? ''))).not.toHaveProperty('veritee.db');
    });

    it('DLG-04 because a policy is wrong leaves the log as it is', async () => {
      const service = await lab.start({}, {}, 'wrong-policy');
      await service.close();
      const before = await filesOf(join(lab.root, 'wrong-policy'));
      await lab.writePolicy('{"id": "wrong"}');
      await expect(lab.start({}, {}, 'wrong-policy')).rejects.toThrow('wrong.json');
      await rm(join(lab.policyFolder, 'wrong.json'));
      expect(await filesOf(join(lab.root, 'wrong-policy'))).toEqual(before);
    });
  });

  it('twin: one that does not keeps everything open until it is closed', async () => {
    const service = await lab.start(SUBMITTING);
    expect(resources.closed()).toEqual({ metrics: 0, policies: 0, stores: 0, agents: 0 });
    expect(resources.timersRun()).toContain(true);
    expect(resources.fileWatches).toBe(1);
    expect((await fetch(`${service.url}/livez`)).status).toBe(200);
    await service.close();
    expect(resources.closed()).toEqual(WITH_SERVICES);
    expect(resources.timersRun()).not.toContain(true);
    await vi.waitFor(() => expect(resources.fileWatches).toBe(0));
    await expect(fetch(`${service.url}/livez`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });
});
