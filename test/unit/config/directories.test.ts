import { expect, it } from 'vitest';
import {
  type Configuration,
  challengeKeyPath,
  dataDirectory,
  endorsementCacheDirectory,
  isPolicyDirectoryRequired,
} from '../../../src/config/configuration.js';
import { loadConfiguration } from '../../../src/config/load-configuration.js';

function load(text: string | null): Configuration {
  return loadConfiguration({ text, environment: {} });
}

function withStore(store: string): Configuration {
  const defaults = load(null);
  return { ...defaults, decisions: { ...defaults.decisions, store } };
}

it.each([
  ['./data/veritee.db', './data'],
  ['/var/lib/veritee/decisions.db', '/var/lib/veritee'],
  ['off', './data'],
  ['redis://cache.example/0', './data'],
])('with decisions in %s, the data directory is %s', (store, directory) => {
  expect(dataDirectory(withStore(store))).toBe(directory);
});

it('has the key of challenges and fetched endorsements in the data directory', () => {
  expect(challengeKeyPath(withStore('/srv/d.db'))).toBe('/srv/challenges.key');
  expect(endorsementCacheDirectory(withStore('/srv/d.db'))).toBe('/srv/endorsements');
});

it('takes the key of challenges from where it is said to be', () => {
  expect(challengeKeyPath(load('challenges: { key: /run/secrets/c.key }'))).toBe('/run/secrets/c.key');
});

it('requires the policy directory unless it is the default one', () => {
  expect(isPolicyDirectoryRequired(load(null).policies.directory)).toBe(false);
  expect(isPolicyDirectoryRequired('/etc/policies')).toBe(true);
});
