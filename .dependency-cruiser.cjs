/**
 * Who may import whom: one line a room. A room that is not listed may not exist, so a new one comes with its line.
 * docs/architecture.md says what each room has. A test finds a direction that no import uses.
 */
const ROOMS = {
  core: [],
  formats: ['core'],
  crypto: ['formats', 'core'],
  boot: ['crypto', 'formats', 'core'],
  tee: ['boot', 'crypto', 'formats', 'core'],
  schema: ['core'],
  policy: ['schema', 'tee', 'crypto', 'core'],
  judge: ['tee', 'policy', 'core'],
  workbench: ['judge', 'inspect', 'policy', 'core'],
  replay: ['judge', 'policy', 'core'],
  receipts: ['relying-party', 'crypto', 'formats', 'core'],
  release: ['outside', 'crypto', 'formats', 'core'],
  log: ['formats', 'core'],
  files: ['core'],
  stores: ['files', 'core'],
  outside: ['tee', 'formats', 'core'],
  endorsements: ['files', 'outside', 'tee', 'crypto', 'formats', 'core'],
  telemetry: ['files', 'outside', 'judge', 'core'],
  config: ['schema', 'core'],
  callers: ['crypto', 'formats', 'core'],
  wire: ['boot', 'tee', 'formats', 'core'],
  http: ['wire', 'telemetry', 'judge', 'workbench', 'replay', 'core'],
  collector: ['outside', 'boot', 'tee', 'crypto', 'formats', 'core'],
  cli: ['wire', 'judge', 'workbench', 'replay', 'collector', 'relying-party', 'core'],
  // What decides an allow, as a package: no room of the service.
  library: ['tee', 'policy', 'crypto', 'formats', 'core'],
  inspect: ['boot', 'tee', 'formats', 'core'],
  // Runs in browsers, and is a package of its own.
  'relying-party': [],
  // Runs in browsers alone.
  inspector: ['inspect', 'boot', 'tee', 'formats', 'schema', 'relying-party', 'core'],
};

/** Rooms without a world: given the same bytes, endorsements and instant they answer the same. */
const PURE_ROOMS = [
  'core',
  'formats',
  'crypto',
  'boot',
  'tee',
  'inspect',
  'schema',
  'policy',
  'library',
  'judge/cross-check',
];

/** All that pure rooms may import from outside of the project. */
const PURE_PACKAGES = ['jose', 'lru-cache', 'yaml'];

/** Parses and type-checks rules. Nothing evaluates an expression with it. */
const RULE_PARSER = '@marcbachmann/cel-js';

/** Vendors' rules: all that endorsements may import of a TEE, and with its structures all that readers for people may. */
const VENDOR_RULES = 'snp/amd|tdx/intel';

/** The catalogue of checks, and the rows of each TEE: what refers to checks may import these. */
const CHECK_ROWS = 'catalogue\\.ts$|[^/]+/checks/';

/** What an answer says to do about a check that does not pass. */
const REMEDIES = 'core/remedies/|tee/remedies\\.ts$|tee/[^/]+/checks/[a-z-]*remedies\\.ts$';

/** Structures of the TEEs; in `tee/format` those that tell the structures of several TEEs apart. */
const STRUCTURES = '(?:format|[^/]+/format)';

/**
 * The only files that know Intel's early collateral by type: its source, its readers, what judges by it beside the decision,
 * what notes it for judging again, and the wiring.
 */
const EARLY_COLLATERAL = [
  'core/early-collateral',
  'tee/tdx/intel/(evaluation-numbers|recovery-events)',
  'endorsements/intel/(open-)?early-collateral',
  'judge/early-collateral',
  'judge/inquiry',
];

const EVERY_ROOM = [...Object.keys(ROOMS), 'app'].join('|');

const directions = Object.entries(ROOMS).map(([room, mayImport]) => ({
  name: `direction-${room}`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: '^src/', pathNot: `^src/(${[room, ...mayImport].join('|')})/` },
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
      name: 'core-imports-nothing',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { pathNot: '^src/core/' },
    },
    {
      // Azure gets the hardware verifiers through its constructors.
      name: 'tees-apart',
      severity: 'error',
      from: { path: '^src/tee/(?!format/)([^/]+)/' },
      to: { path: '^src/tee/[^/]+/', pathNot: '^src/tee/($1|shared)/' },
    },
    {
      name: 'shared-imports-no-tee',
      severity: 'error',
      from: { path: '^src/tee/shared/' },
      to: { path: '^src/tee/[^/]+/', pathNot: '^src/tee/shared/' },
    },
    {
      name: 'vendors-apart',
      severity: 'error',
      // A vendor's rules are about the structures beside them.
      from: { path: '^src/tee/([^/]+)/(amd|intel)/' },
      to: { path: '^src/tee/', pathNot: '^src/tee/$1/($2|format)/' },
    },
    {
      name: 'vendor-rules-alone',
      severity: 'error',
      from: { path: '^src/endorsements/' },
      to: { path: '^src/tee/', pathNot: `^src/tee/(${VENDOR_RULES})/` },
    },
    {
      name: 'vendor-rules-and-structures-alone',
      severity: 'error',
      from: { path: '^src/(inspect|inspector)/' },
      to: { path: '^src/tee/', pathNot: `^src/tee/((${VENDOR_RULES}|${STRUCTURES})/|${CHECK_ROWS})` },
    },
    {
      name: 'structures-alone',
      severity: 'error',
      from: { path: '^src/(collector|outside|wire)/' },
      to: {
        path: '^src/(boot|tee)/',
        pathNot: `^src/(boot/format/|tee/${STRUCTURES}/|tee/(catalogue|remedies)\\.ts$)`,
      },
    },
    {
      name: 'check-rows-alone',
      severity: 'error',
      from: { path: '^src/policy/' },
      to: { path: '^src/tee/', pathNot: `^src/tee/(${CHECK_ROWS})` },
    },
    {
      // What every room reads the catalogue for loads no verifier.
      name: 'catalogue-of-rows-alone',
      severity: 'error',
      from: { path: '^src/tee/((catalogue|remedies)\\.ts$|[^/]+/checks/)' },
      to: { path: '^src/', pathNot: '^src/(core/|tee/[^/]+/checks/)' },
    },
    {
      // Remedies are texts for people, so what verifies, appraises and decides loads none of them.
      name: 'remedies-for-answers-alone',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(wire/|${REMEDIES})` },
      to: { path: `^src/(${REMEDIES})` },
    },
    {
      // A parser knows no rule, so that who only reads evidence takes nothing of what verifies it.
      name: 'structures-apart',
      severity: 'error',
      from: { path: '^src/tee/([^/]+)/format/' },
      to: { path: '^src/tee/', pathNot: '^src/tee/($1|shared)/format/' },
    },
    {
      name: 'all-structures-alone',
      severity: 'error',
      from: { path: '^src/tee/format/' },
      to: { path: '^src/tee/', pathNot: `^src/tee/${STRUCTURES}/` },
    },
    {
      // They are read in browsers too.
      name: 'structures-without-core-modules',
      severity: 'error',
      from: { path: `^src/(boot/format|tee/${STRUCTURES})/` },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'boot-structures-apart',
      severity: 'error',
      from: { path: '^src/boot/format/' },
      to: { path: '^src/boot/', pathNot: '^src/boot/format/' },
    },
    {
      // What the two have in common is in `files`.
      name: 'endorsements-apart',
      severity: 'error',
      from: { path: '^src/endorsements/([^/]+)/' },
      to: { path: '^src/endorsements/[^/]+/', pathNot: '^src/endorsements/($1|files)/' },
    },
    {
      // What answers a decision cannot name it, and so cannot take it for its own.
      name: 'early-collateral-apart',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/((${EARLY_COLLATERAL.join('|')})\\.ts$|app/)` },
      to: { path: '^src/(core|endorsements/intel)/(open-)?early-collateral\\.ts$' },
    },
    {
      // The wall: claims are verified where bytes are verified, and where the results of several verifiers are joined.
      name: 'verified-claims-by-verifiers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(tee/|judge/(join|undecided)\\.ts$)' },
      to: { path: '^src/tee/shared/evidence/mark-verified\\.ts$' },
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
        pathNot: ['^src/', `(^|/)node_modules/(${[...PURE_PACKAGES, RULE_PARSER].join('|')})/`],
      },
    },
    {
      // Browsers have no core modules. What the inspector reads evidence with may not reach one either: its bundle would not be made.
      name: 'browsers-core',
      severity: 'error',
      from: { path: '^src/(relying-party|inspector)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'inspector-packages',
      severity: 'error',
      from: { path: '^src/inspector/' },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^src/', '(^|/)node_modules/(preact|@noble/hashes)/'] },
    },
    {
      name: 'preact-only-in-the-inspector',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/inspector/' },
      to: { path: '(^|/)node_modules/preact/' },
    },
    {
      // All that its package depends on.
      name: 'relying-party-packages',
      severity: 'error',
      from: { path: '^src/relying-party/' },
      to: { dependencyTypesNot: ['core', 'local'], pathNot: ['^src/', '(^|/)node_modules/jose/'] },
    },
    {
      name: 'rule-parser-only-in-cel',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/policy/cel/' },
      to: { path: `(^|/)node_modules/${RULE_PARSER}/` },
    },
    {
      // What a connection is good for, and when it is not, is said in one place.
      name: 'postgres-client-only-in-its-session',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/stores/postgres/(session|settings)\\.ts$' },
      to: { path: '(^|/)node_modules/(@types/)?pg/' },
    },
    {
      // What they do is in the span of who calls them: a span has a clock.
      name: 'pure-rooms-untraced',
      severity: 'error',
      from: { path: `^src/(${PURE_ROOMS.join('|')})/` },
      to: { path: '^src/core/traces\\.ts$' },
    },
    {
      name: 'opentelemetry-only-in-traces',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/telemetry/traces/' },
      to: { path: '(^|/)node_modules/@opentelemetry/' },
    },
    {
      // Its libraries are loaded where traces are configured, and cost nobody else anything.
      name: 'traces-loaded-on-demand',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/telemetry/traces/' },
      to: {
        path: '^src/telemetry/traces/',
        pathNot: '^src/telemetry/traces/collector-headers\\.ts$',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
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
