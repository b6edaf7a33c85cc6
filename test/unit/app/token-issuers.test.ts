import { describe, expect, it } from 'vitest';
import { NO_CONFIGURED_ROOTS } from '../../../src/app/reload/configured-roots.js';
import {
  issuersForLint,
  itaIssuers,
  maaIssuers,
  readIssuerRoots,
  tokenIssuers,
} from '../../../src/app/token-issuers.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

const OWN = 'https://own.weu.attest.azure.net';
const WEU = 'https://sharedweu.weu.attest.azure.net';
const HASH = 'A'.repeat(43);
const WORLD = 'https://portal.trustauthority.intel.com';
const EUROPE = 'https://portal.eu.trustauthority.intel.com';

const configuration = (members: object = {}) => loadConfiguration({ text: JSON.stringify(members), environment: {} });
const issuerOf = (maa: object, issuer: string) => maaIssuers(configuration({ maa })).get(issuer);
const placeOf = (members: object, issuer: string) =>
  tokenIssuers(configuration(members)).find((candidate) => candidate.issuer === issuer);

it('authorities of release policies are known by the tokens that they issue', () => {
  const own = 'https://ita.example';
  const { knownAuthorities: known } = issuersForLint(
    configuration({
      maa: { issuers: [{ issuer: OWN, policyHash: [HASH] }] },
      ita: { issuers: [{ issuer: own, keys: '/etc/keys.json' }] },
    }),
  );
  const routesOf = (issuer: string) => (['maa', 'ita'] as const).filter((route) => known(issuer, route));
  expect([WEU, OWN].map(routesOf)).toEqual([['maa'], ['maa']]);
  expect([WORLD, EUROPE, own].map(routesOf)).toEqual([['ita'], ['ita'], ['ita']]);
  expect(routesOf('https://other.weu.attest.azure.net')).toEqual([]);
});

it('TOK-31 routes of several issuers are told apart from those of one', () => {
  const many = (members: object) => issuersForLint(configuration(members)).manyIssuers;
  expect(many({})).toEqual(['maa', 'ita']);
  const own = { issuer: OWN, policyHash: [HASH] };
  expect(many({ maa: { shared: false, issuers: [own] } })).toEqual(['ita']);
  expect(many({ maa: { shared: ['weu'], issuers: [own] } })).toEqual(['maa', 'ita']);
});

describe('issuers of Azure Attestation', () => {
  it('are the shared providers where nothing is configured, and no policy of theirs is pinned', () => {
    const issuers = maaIssuers(configuration());
    expect(issuers.size).toBe(26);
    for (const [region, counts] of [
      ['weu', true],
      ['cin', true],
      ['wus3', false],
    ] as const) {
      expect(issuers.has(`https://shared${region}.${region}.attest.azure.net`)).toBe(counts);
    }
    expect(issuerOf({ shared: ['wus3'] }, 'https://sharedwus3.wus3.attest.azure.net')).toBeDefined();
    // A region that no list has, a test slot, and one of a sovereign cloud.
    for (const host of ['sharedxyz.xyz.attest.azure.net', 'sharedtest.test.attest.azure.net']) {
      expect(issuers.has(`https://${host}`)).toBe(false);
    }
    expect(issuers.has('https://sharedugv.ugv.attest.azure.us')).toBe(false);
    for (const issuer of issuers.values()) {
      expect(issuer).toMatchObject({ policyHashes: 'shared', policySigners: null, teeSigner: 'any' });
    }
    expect(issuers.get(WEU)?.issuer).toBe(WEU);
  });

  it('are those of some regions, or none', () => {
    expect([...maaIssuers(configuration({ maa: { shared: ['weu'] } })).keys()]).toEqual([WEU]);
    const NEWER = 'https://sharedxyz.xyz.attest.azure.net';
    expect([...maaIssuers(configuration({ maa: { shared: ['weu', 'xyz'] } })).keys()]).toEqual([WEU, NEWER]);
    expect(maaIssuers(configuration({ maa: { shared: false } })).size).toBe(0);
  });

  it('TOK-17 are pinned by the hashes of their policy, or said to be any', () => {
    const issuers = [{ issuer: OWN, policyHash: [HASH], policySigner: ['ab'.repeat(32)], teeSigner: 'required' }];
    expect(issuerOf({ issuers }, OWN)).toEqual({
      issuer: OWN,
      policyHashes: new Set([HASH]),
      policySigners: new Set(['ab'.repeat(32)]),
      teeSigner: 'required',
    });
    expect(issuerOf({ issuers: [{ issuer: OWN, policyHash: 'any' }] }, OWN)?.policyHashes).toBe('any');
  });

  it('replace a shared provider of their name', () => {
    const maa = { issuers: [{ issuer: WEU, policyHash: [HASH] }] };
    expect(issuerOf(maa, WEU)?.policyHashes).toEqual(new Set([HASH]));
    expect(maaIssuers(configuration({ maa })).size).toBe(maaIssuers(configuration()).size);
    expect(tokenIssuers(configuration({ maa })).filter(({ issuer }) => issuer === WEU)).toHaveLength(1);
    expect(issuerOf({ issuers: [{ issuer: WEU }] }, WEU)?.policyHashes).toBe('shared');
  });

  it('have their keys at their own place, or in a file', () => {
    expect(placeOf({}, WEU)?.keys).not.toHaveProperty('file');
    const maa = { issuers: [{ issuer: OWN, policyHash: 'any', keys: '/etc/keys.json' }] };
    expect(placeOf({ maa }, OWN)).toMatchObject({ type: 'maa-token', keys: { file: '/etc/keys.json' }, roots: null });
  });
});

describe('issuers of Trust Authority', () => {
  it('are those of Intel where nothing is configured, trusted by the place of their keys', () => {
    expect([...itaIssuers(configuration(), NO_CONFIGURED_ROOTS).values()]).toEqual(
      ['Intel Trust Authority', WORLD, EUROPE].map((issuer) => ({ issuer, roots: null, policyIds: new Set() })),
    );
    expect(placeOf({}, EUROPE)).toMatchObject({ keys: { url: `${EUROPE}/certs` } });
    expect(placeOf({}, 'Intel Trust Authority')).toMatchObject({
      type: 'ita-token',
      keys: { url: 'https://portal.trustauthority.intel.com/certs' },
    });
  });

  const ITA = { issuers: [{ issuer: 'own', keys: '/etc/keys.json', roots: '/nowhere/roots.pem' }] };

  it('with roots that were not read trust nobody', () => {
    expect(itaIssuers(configuration({ ita: ITA }), NO_CONFIGURED_ROOTS).get('own')).toEqual({
      issuer: 'own',
      roots: new Set(),
      policyIds: new Set(),
    });
    const read = { issuers: new Map([['own', new Set(['ab'])]]) };
    expect(itaIssuers(configuration({ ita: ITA }), read).get('own')?.roots).toEqual(new Set(['ab']));
  });

  it('TOK-21 demand their own policies, and those of submissions whichever of them issues the token', () => {
    const [own, submitted] = ['1a2b3c4d-0000-4000-8000-0123456789ab', '1A2B3C4D-0000-4000-8000-BA9876543210'];
    const ita = {
      issuers: [
        { ...ITA.issuers[0], policyIds: [own] },
        { issuer: 'plain', keys: 'f' },
      ],
      submit: { api: 'https://api.example', apiKeyFile: 'k', policyIds: [submitted] },
    };
    const issuers = itaIssuers(configuration({ ita }), NO_CONFIGURED_ROOTS);
    expect(issuers.get('own')?.policyIds).toEqual(new Set([own, submitted.toLowerCase()]));
    for (const name of ['plain', WORLD, EUROPE, 'Intel Trust Authority']) {
      expect(issuers.get(name)?.policyIds).toEqual(new Set([submitted.toLowerCase()]));
    }
  });

  it('with roots that cannot be read do not start', async () => {
    await expect(readIssuerRoots(configuration({ ita: ITA }))).rejects.toMatchObject({ name: 'ConfigurationError' });
    expect(await readIssuerRoots(configuration())).toEqual(new Map());
  });

  it('have their keys in a file where one is named', () => {
    expect(placeOf({ ita: ITA }, 'own')).toMatchObject({
      keys: { file: '/etc/keys.json' },
      roots: '/nowhere/roots.pem',
    });
  });
});
