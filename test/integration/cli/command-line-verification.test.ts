import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { commandLineVerification } from '../../../src/app/commands/command-line-verification.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { RecordingLog } from '../../unit/endorsements/recording-log.js';
import { OpenResources } from '../service/open-resources.js';

const resources = new OpenResources();
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'veritee-verification-'));
});

afterEach(() => resources.forget());

afterAll(async () => {
  resources.release();
  await rm(root, { recursive: true, force: true });
});

const nowhere = join('nowhere', 'file.pem');

const NOTHING = { metrics: 0, policies: 0, stores: 0, agents: 0 };

/** With the agents for AMD's KDS (two: lines have one of their own), for Intel's collateral and for keys of token issuers. */
const WITH_ENDORSEMENTS = { ...NOTHING, policies: 1, agents: 4 };

/** With the agents of both services that evidence may be sent to. */
const WITH_SERVICES = { ...WITH_ENDORSEMENTS, agents: 6 };

/** Puts the verification of the command line together, in a folder of its own. */
function open(keys: object = {}, policy: string | null = null) {
  const text = JSON.stringify({
    policies: { directory: root },
    amd: { chains: join(root, 'amd') },
    intel: { collateral: join(root, 'intel') },
    stores: { url: `sqlite:${join(root, 'decisions.db')}` },
    maa: { submit: { endpoints: ['https://sharedweu.weu.attest.azure.net'] } },
    ita: { submit: { api: 'https://api.trustauthority.intel.com', apiKeyFile: nowhere } },
    ...keys,
  });
  return commandLineVerification(loadConfiguration({ text, environment: {} }), policy, new RecordingLog());
}

describe('the verification of the command line', () => {
  it.each([
    [
      'its policy is missing',
      {},
      nowhere,
      { lines: [expect.stringContaining(`${nowhere}: there is no such file`), expect.any(String)] },
      { ...NOTHING, policies: 1 },
    ],
    [
      'keys of an issuer are missing',
      { ita: { issuers: [{ issuer: 'own', keys: nowhere }] } },
      null,
      { problems: [`ita.issuers: keys of own: ${nowhere}: there is no such file`] },
      WITH_ENDORSEMENTS,
    ],
    [
      'roots of certificates are missing',
      { tpm: { roots: [nowhere] } },
      null,
      { problems: [`tpm.roots: ${nowhere}: there is no such file`] },
      WITH_SERVICES,
    ],
  ])('leaves nothing open where %s', async (_title, keys, policy, error, opened) => {
    await expect(open(keys, policy)).rejects.toMatchObject(error);
    expect(resources.closed()).toEqual(opened);
    expect(resources.timersRun()).not.toContain(true);
  });

  it('twin: keeps everything open until it is closed', async () => {
    const verification = await open();
    expect(resources.closed()).toEqual(NOTHING);
    expect(resources.timersRun()).toContain(true);
    await verification.close();
    expect(resources.closed()).toEqual(WITH_SERVICES);
    expect(resources.timersRun()).not.toContain(true);
  });
});
