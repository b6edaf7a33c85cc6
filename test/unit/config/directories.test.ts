import { expect, it } from 'vitest';
import {
  type Configuration,
  challengeKeyPath,
  endorsementCacheDirectory,
  isPolicyDirectoryRequired,
} from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { dataDirectory } from '../../../src/config/stores.js';

function load(text: string | null): Configuration {
  return loadConfiguration({ text, environment: {} });
}

function withStores(url: string): Configuration {
  const defaults = load(null);
  return { ...defaults, stores: { ...defaults.stores, url } };
}

it.each([
  ['sqlite:./data/veritee.db', './data'],
  ['sqlite:/var/lib/veritee/decisions.db', '/var/lib/veritee'],
  ['postgres://veritee@db.example/veritee', './data'],
])('with stores in %s, the data directory is %s', (url, directory) => {
  expect(dataDirectory(withStores(url))).toBe(directory);
});

it('has the key of challenges and fetched endorsements in the data directory', () => {
  expect(challengeKeyPath(withStores('sqlite:/srv/d.db'))).toBe('/srv/challenges.key');
  expect(endorsementCacheDirectory(withStores('sqlite:/srv/d.db'))).toBe('/srv/endorsements');
});

it('takes the key of challenges from where it is said to be', () => {
  expect(challengeKeyPath(load('challenges: { key: /run/secrets/c.key }'))).toBe('/run/secrets/c.key');
});

it('requires the policy directory unless it is the default one', () => {
  expect(isPolicyDirectoryRequired(load(null).policies.directory)).toBe(false);
  expect(isPolicyDirectoryRequired('/etc/policies')).toBe(true);
});
