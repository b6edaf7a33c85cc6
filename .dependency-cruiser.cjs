/**
 * Who may import whom: one line a room. A room that is not listed may not exist, so a new one comes with its line.
 * docs/decisions/0001-rooms-and-directions.md says why.
 */
const ROOMS = {
  model: [],
  formats: ['model'],
  crypto: ['formats', 'model'],
  verifiers: ['crypto', 'formats', 'model'],
  policy: ['model'],
  comparison: ['model'],
  endorsements: ['crypto', 'formats', 'model'],
  'attestation-services': ['crypto', 'formats', 'model'],
  results: ['model'],
  stores: ['model'],
  service: ['verifiers', 'policy', 'comparison', 'model'],
  wire: ['formats', 'model'],
  http: ['wire', 'service', 'model'],
  cli: ['wire', 'service', 'model'],
  config: ['model'],
};

/** Single files that a room may import beside: what two rooms that leave the process have in common. */
const FILES = {
  'attestation-services': [
    'endorsements/bounded-attempt',
    'endorsements/bounded-body',
    'endorsements/fetch-error',
    'endorsements/origin-breaker',
    'endorsements/outages',
  ],
};

/** Rooms without a world: given the same bytes, endorsements and instant they answer the same. */
const PURE_ROOMS = ['model', 'formats', 'crypto', 'verifiers', 'policy', 'comparison'];

/** All that pure rooms may import from outside of the project. */
const PURE_PACKAGES = ['jose', 'lru-cache', 'yaml', 'tsyringe'];

const TOKENS = '^src/composition/tokens\\.ts$';
const EVERY_ROOM = [...Object.keys(ROOMS), 'composition'].join('|');

const filesFor = (room) => (FILES[room] ?? []).map((file) => `^src/${file}\\.ts$`);

const directions = Object.entries(ROOMS).map(([room, mayImport]) => ({
  name: `direction-${room}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: [`^src/(${[room, ...mayImport].join('|')})/`, ...filesFor(room), TOKENS] },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...directions,
    {
      name: 'room-without-a-line',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${EVERY_ROOM})/` },
      to: {},
    },
    {
      name: 'model-imports-nothing',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { pathNot: '^src/model/' },
    },
    {
      // Azure CVM gets the hardware verifier through its constructor. Files beside the folders are shared.
      name: 'verifiers-apart',
      severity: 'error',
      from: { path: '^src/verifiers/([^/]+)/' },
      to: { path: '^src/verifiers/[^/]+/', pathNot: '^src/verifiers/$1/' },
    },
    {
      // An allow list: what is not known to be without a world is taken to have one.
      name: 'pure-rooms-core',
      severity: 'error',
      from: { path: `^src/(${PURE_ROOMS.join('|')})/` },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
    {
      name: 'pure-rooms-packages',
      severity: 'error',
      from: { path: `^src/(${PURE_ROOMS.join('|')})/` },
      to: {
        dependencyTypesNot: ['core', 'local'],
        pathNot: ['^src/', `(^|/)node_modules/(${PURE_PACKAGES.join('|')})/`],
      },
    },
    {
      name: 'no-import-of-the-entry',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    { name: 'no-test-in-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|scripts)/' } },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count as well: a direction is about knowledge, not about run time.
    tsPreCompilationDeps: true,
    // Core modules and packages as they are named, with the ESM and types conditions.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'types'] },
  },
};
