import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT } from './project-files.js';

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

interface Plant {
  readonly file: string;
  readonly imports: string;
  /** The rule that has to speak; null if the import is allowed. */
  readonly breaks: string | null;
}

/** One import a rule that breaks it, and one for each way around it; then what is allowed. */
const PLANTS: readonly Plant[] = [
  { file: 'src/formats/up.ts', imports: "import '../crypto/target.js';", breaks: 'direction-formats' },
  { file: 'src/crypto/up.ts', imports: "import '../tee/snp/target.js';", breaks: 'direction-crypto' },
  { file: 'src/inspect/across.ts', imports: "import '../policy/target.js';", breaks: 'direction-inspect' },
  { file: 'src/outside/up.ts', imports: "import '../endorsements/target.js';", breaks: 'direction-outside' },
  { file: 'src/tee/snp/up.ts', imports: "import '../../policy/target.js';", breaks: 'direction-tee' },
  { file: 'src/schema/up.ts', imports: "import '../policy/target.js';", breaks: 'direction-schema' },
  { file: 'src/schema/reads.ts', imports: "import 'node:fs';", breaks: 'pure-rooms-core' },
  { file: 'src/library/up.ts', imports: "import '../judge/target.js';", breaks: 'direction-library' },
  { file: 'src/library/waits.ts', imports: "import 'node:timers';", breaks: 'pure-rooms-core' },
  { file: 'src/policy/up.ts', imports: "import '../http/target.js';", breaks: 'direction-policy' },
  { file: 'src/policy/across.ts', imports: "import '../formats/target.js';", breaks: 'direction-policy' },
  { file: 'src/judge/cross-check/across.ts', imports: "import '../../crypto/target.js';", breaks: 'direction-judge' },
  { file: 'src/endorsements/up.ts', imports: "import '../judge/target.js';", breaks: 'direction-endorsements' },
  {
    file: 'src/outside/attestation-services/up.ts',
    imports: "import '../../judge/target.js';",
    breaks: 'direction-outside',
  },
  {
    file: 'src/workbench/asserts.ts',
    imports: "import '../tee/shared/evidence/mark-verified.js';",
    breaks: 'verified-claims-by-verifiers',
  },
  {
    file: 'src/judge/asserts.ts',
    imports: "import '../tee/shared/evidence/mark-verified.js';",
    breaks: 'verified-claims-by-verifiers',
  },
  { file: 'src/judge/join.ts', imports: "import '../tee/shared/evidence/mark-verified.js';", breaks: null },
  { file: 'src/stores/up.ts', imports: "import '../judge/target.js';", breaks: 'direction-stores' },
  { file: 'src/judge/up.ts', imports: "import '../endorsements/target.js';", breaks: 'direction-judge' },
  { file: 'src/workbench/up.ts', imports: "import '../http/target.js';", breaks: 'direction-workbench' },
  { file: 'src/replay/across.ts', imports: "import '../log/target.js';", breaks: 'direction-replay' },
  { file: 'src/release/vault/up.ts', imports: "import '../../judge/target.js';", breaks: 'direction-release' },
  { file: 'src/wire/up.ts', imports: "import '../http/target.js';", breaks: 'direction-wire' },
  { file: 'src/http/down.ts', imports: "import '../tee/snp/target.js';", breaks: 'direction-http' },
  { file: 'src/cli/down.ts', imports: "import '../policy/target.js';", breaks: 'direction-cli' },
  { file: 'src/receipts/gates/up.ts', imports: "import '../../judge/target.js';", breaks: 'direction-receipts' },
  { file: 'src/config/up.ts', imports: "import '../judge/target.js';", breaks: 'direction-config' },
  { file: 'src/relying-party/across.ts', imports: "import '../core/target.js';", breaks: 'direction-relying-party' },
  { file: 'src/relying-party/core.ts', imports: "import 'node:crypto';", breaks: 'browsers-core' },
  { file: 'src/inspector/core.ts', imports: "import 'node:crypto';", breaks: 'browsers-core' },
  { file: 'src/inspector/across.ts', imports: "import '../judge/target.js';", breaks: 'direction-inspector' },
  { file: 'src/inspector/packages.ts', imports: "import 'jose';", breaks: 'inspector-packages' },
  { file: 'src/http/renders.ts', imports: "import 'preact';", breaks: 'preact-only-in-the-inspector' },
  { file: 'src/relying-party/fetches.ts', imports: "import 'undici';", breaks: 'relying-party-packages' },
  { file: 'src/judge/container.ts', imports: "import '../app/container.js';", breaks: 'direction-judge' },
  {
    file: 'src/policy/type.ts',
    imports: "import type { target } from '../http/target.js';\nexport type Again = typeof target;",
    breaks: 'direction-policy',
  },
  {
    file: 'src/policy/dynamic.ts',
    imports: "export const late = import('../http/target.js');",
    breaks: 'direction-policy',
  },
  { file: 'src/core/core.ts', imports: "import 'node:crypto';", breaks: 'core-imports-nothing' },
  { file: 'src/tee/azure/side.ts', imports: "import '../snp/target.js';", breaks: 'tees-apart' },
  { file: 'src/tee/azure/vendor.ts', imports: "import '../snp/amd/target.js';", breaks: 'tees-apart' },
  { file: 'src/tee/azure/reads.ts', imports: "import '../snp/format/target.js';", breaks: 'tees-apart' },
  { file: 'src/tee/shared/side.ts', imports: "import '../snp/target.js';", breaks: 'shared-imports-no-tee' },
  {
    file: 'src/tee/shared/reads.ts',
    imports: "import '../snp/format/target.js';",
    breaks: 'shared-imports-no-tee',
  },
  { file: 'src/tee/snp/amd/up.ts', imports: "import '../target.js';", breaks: 'vendors-apart' },
  { file: 'src/tee/tdx/intel/side.ts', imports: "import '../../snp/amd/target.js';", breaks: 'vendors-apart' },
  { file: 'src/endorsements/verifies.ts', imports: "import '../tee/snp/target.js';", breaks: 'vendor-rules-alone' },
  { file: 'src/endorsements/reads.ts', imports: "import '../tee/snp/format/target.js';", breaks: 'vendor-rules-alone' },
  {
    file: 'src/inspector/verifies.ts',
    imports: "import '../tee/snp/target.js';",
    breaks: 'vendor-rules-and-structures-alone',
  },
  {
    file: 'src/inspect/verifies.ts',
    imports: "import '../tee/shared/binding/target.js';",
    breaks: 'vendor-rules-and-structures-alone',
  },
  { file: 'src/wire/verifies.ts', imports: "import '../tee/snp/target.js';", breaks: 'structures-alone' },
  { file: 'src/wire/replays.ts', imports: "import '../boot/target.js';", breaks: 'structures-alone' },
  { file: 'src/collector/verifies.ts', imports: "import '../tee/snp/amd/target.js';", breaks: 'structures-alone' },
  { file: 'src/outside/verifies.ts', imports: "import '../tee/snp/target.js';", breaks: 'structures-alone' },
  { file: 'src/policy/verifies.ts', imports: "import '../tee/snp/target.js';", breaks: 'check-rows-alone' },
  { file: 'src/tee/catalogue.ts', imports: "import './snp/target.js';", breaks: 'catalogue-of-rows-alone' },
  {
    file: 'src/tee/snp/checks/verifies.ts',
    imports: "import '../target.js';",
    breaks: 'catalogue-of-rows-alone',
  },
  {
    file: 'src/policy/advises.ts',
    imports: "import '../core/remedies/target.js';",
    breaks: 'remedies-for-answers-alone',
  },
  {
    file: 'src/tee/catalogue-of-plants.ts',
    imports: "import './snp/checks/remedies.js';",
    breaks: 'remedies-for-answers-alone',
  },
  { file: 'src/tee/tdx/checks/side.ts', imports: "import '../../snp/checks/target.js';", breaks: 'tees-apart' },
  { file: 'src/tee/snp/format/up.ts', imports: "import '../target.js';", breaks: 'structures-apart' },
  { file: 'src/tee/azure/format/side.ts', imports: "import '../../snp/format/target.js';", breaks: 'structures-apart' },
  { file: 'src/tee/format/up.ts', imports: "import '../snp/target.js';", breaks: 'all-structures-alone' },
  {
    file: 'src/tee/snp/format/hashes.ts',
    imports: "import 'node:crypto';",
    breaks: 'structures-without-core-modules',
  },
  { file: 'src/boot/format/up.ts', imports: "import '../target.js';", breaks: 'boot-structures-apart' },
  { file: 'src/endorsements/intel/side.ts', imports: "import '../amd/target.js';", breaks: 'endorsements-apart' },
  { file: 'src/tee/reads.ts', imports: "import 'node:fs';", breaks: 'pure-rooms-core' },
  { file: 'src/tee/reads-later.ts', imports: "import 'node:fs/promises';", breaks: 'pure-rooms-core' },
  { file: 'src/formats/calls.ts', imports: "import 'node:https';", breaks: 'pure-rooms-core' },
  { file: 'src/crypto/waits.ts', imports: "import 'node:timers/promises';", breaks: 'pure-rooms-core' },
  { file: 'src/judge/cross-check/times.ts', imports: "import 'node:timers';", breaks: 'pure-rooms-core' },
  { file: 'src/policy/starts.ts', imports: "import 'child_process';", breaks: 'pure-rooms-core' },
  { file: 'src/policy/fetches.ts', imports: "import 'undici';", breaks: 'pure-rooms-packages' },
  { file: 'src/crypto/logs.ts', imports: "import 'pino';", breaks: 'pure-rooms-packages' },
  { file: 'src/stores/postgres/connects.ts', imports: "import 'pg';", breaks: 'postgres-client-only-in-its-session' },
  { file: 'src/judge/connects.ts', imports: "import 'pg';", breaks: 'postgres-client-only-in-its-session' },
  { file: 'src/tee/snp/traced.ts', imports: "import '../../core/traces.js';", breaks: 'pure-rooms-untraced' },
  { file: 'src/http/traces.ts', imports: "import '@opentelemetry/api';", breaks: 'opentelemetry-only-in-traces' },
  { file: 'src/app/eager.ts', imports: "import '../telemetry/traces/target.js';", breaks: 'traces-loaded-on-demand' },
  { file: 'src/telemetry/traces/up.ts', imports: "import '../../http/target.js';", breaks: 'direction-telemetry' },
  { file: 'src/lobby/new.ts', imports: "import '../core/target.js';", breaks: 'room-without-a-line' },
  { file: 'src/app/tests.ts', imports: "import '../../test/lab/target.js';", breaks: 'no-test-in-src' },
  { file: 'src/http/entry.ts', imports: "import '../main.js';", breaks: 'no-import-of-the-entry' },
  { file: 'src/stores/one.ts', imports: "import './two.js';", breaks: 'no-cycle' },
  { file: 'src/stores/lost.ts', imports: "import './nowhere.js';", breaks: 'no-unresolved' },

  { file: 'src/judge/takes.ts', imports: "import '../core/early-collateral.js';", breaks: 'early-collateral-apart' },
  {
    file: 'src/tee/tdx/takes.ts',
    imports: "import '../../core/early-collateral.js';",
    breaks: 'early-collateral-apart',
  },
  {
    file: 'src/endorsements/all.ts',
    imports: "import './intel/early-collateral.js';",
    breaks: 'early-collateral-apart',
  },
  {
    file: 'src/endorsements/intel/supply.ts',
    imports: "import './open-early-collateral.js';",
    breaks: 'early-collateral-apart',
  },

  { file: 'src/judge/early-collateral.ts', imports: "import '../core/early-collateral.js';", breaks: null },
  { file: 'src/app/early.ts', imports: "import '../endorsements/intel/early-collateral.js';", breaks: null },
  { file: 'src/app/late.ts', imports: "export const late = import('../telemetry/traces/target.js');", breaks: null },
  { file: 'src/judge/traced.ts', imports: "import '../core/traces.js';", breaks: null },
  {
    file: 'src/telemetry/traces/ok.ts',
    imports: "import '@opentelemetry/api';\nimport '../../outside/target.js';",
    breaks: null,
  },
  { file: 'src/relying-party/ok.ts', imports: "import 'jose';", breaks: null },
  { file: 'src/inspector/ok.ts', imports: "import 'preact';\nimport '../tee/snp/amd/target.js';", breaks: null },
  { file: 'src/formats/ok.ts', imports: "import '../core/target.js';", breaks: null },
  {
    file: 'src/tee/snp/ok.ts',
    imports: "import '../shared/binding/target.js';\nimport './amd/target.js';\nimport 'node:crypto';",
    breaks: null,
  },
  { file: 'src/endorsements/amd/ok.ts', imports: "import '../files/target.js';", breaks: null },
  { file: 'src/endorsements/vendor.ts', imports: "import '../tee/snp/amd/target.js';", breaks: null },
  { file: 'src/tee/registry-of-plants.ts', imports: "import './snp/target.js';", breaks: null },
  {
    file: 'src/tee/format/ok.ts',
    imports: "import '../snp/format/target.js';\nimport '../shared/format/target.js';",
    breaks: null,
  },
  {
    file: 'src/wire/ok.ts',
    imports:
      "import '../tee/snp/format/target.js';\nimport '../tee/format/target.js';\nimport '../boot/format/target.js';",
    breaks: null,
  },
  { file: 'src/http/ok.ts', imports: "import '../wire/target.js';\nimport 'node:http';", breaks: null },
  { file: 'src/endorsements/ok.ts', imports: "import 'node:fs';\nimport 'undici';", breaks: null },
  {
    file: 'src/outside/attestation-services/ok.ts',
    imports: "import '../target.js';\nimport '../../formats/target.js';\nimport 'undici';",
    breaks: null,
  },
  { file: 'src/stores/postgres/session.ts', imports: "import 'pg';", breaks: null },
  { file: 'src/schema/ok.ts', imports: "import '../core/target.js';\nimport 'yaml';", breaks: null },
  { file: 'src/config/ok.ts', imports: "import '../schema/target.js';", breaks: null },
  {
    file: 'src/policy/ok.ts',
    imports:
      "import '../core/target.js';\nimport '../schema/target.js';\nimport '../tee/catalogue.js';\nimport '../tee/snp/checks/target.js';",
    breaks: null,
  },
  { file: 'src/main.ts', imports: "import './app/container.js';", breaks: null },
];

const TARGETS = [
  'src/app/container.ts',
  'src/core/early-collateral.ts',
  'src/tee/snp/checks/remedies.ts',
  'src/tee/shared/evidence/mark-verified.ts',
  'src/core/traces.ts',
  'src/endorsements/intel/early-collateral.ts',
  'src/endorsements/intel/open-early-collateral.ts',
  ...[
    'core/remedies',
    'tee/format',
    'tee/snp',
    'tee/snp/amd',
    'tee/snp/checks',
    'tee/snp/format',
    'tee/shared/binding',
    'tee/shared/format',
  ].map((folder) => `src/${folder}/target.ts`),
  ...['boot', 'boot/format', 'endorsements/amd', 'endorsements/files', 'telemetry/traces'].map(
    (folder) => `src/${folder}/target.ts`,
  ),
  'test/lab/target.ts',
  ...['core', 'formats', 'crypto', 'schema', 'policy', 'judge', 'log', 'outside', 'endorsements', 'wire', 'http'].map(
    (room) => `src/${room}/target.ts`,
  ),
];

/** The result of the rules for `src` in a folder. */
function violationsIn(folder: string): Promise<readonly Violation[]> {
  const program = join(PROJECT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rules = join(PROJECT, '.dependency-cruiser.cjs');
  const asked = [program, '--config', rules, '--output-type', 'json', 'src'];
  return new Promise((resolve, reject) => {
    // The exit code counts violations, so only an answer that is none is an error.
    execFile(process.execPath, asked, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(`no answer of dependency-cruiser: ${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout).summary.violations);
    });
  });
}

function write(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

describe('the directions between rooms', () => {
  const folder = mkdtempSync(join(tmpdir(), 'veritee-plants-'));
  let planted: readonly Violation[] = [];

  beforeAll(async () => {
    write(folder, 'src/stores/two.ts', "import './one.js';\n");
    for (const path of TARGETS) write(folder, path, 'export const target = 1;\n');
    for (const plant of PLANTS) write(folder, plant.file, `${plant.imports}\nexport {};\n`);
    write(folder, 'tsconfig.json', '{ "compilerOptions": { "module": "NodeNext", "moduleResolution": "NodeNext" } }');
    write(folder, 'package.json', '{ "type": "module" }');
    symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    planted = await violationsIn(folder);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('hold in src', { timeout: 120_000 }, async () => {
    expect(await violationsIn(PROJECT)).toEqual([]);
  });

  it.each(PLANTS.filter((plant) => plant.breaks !== null))('refuse $file: $breaks', ({ file, breaks }) => {
    const rules = planted.filter((violation) => violation.from === file).map((violation) => violation.rule.name);
    expect(rules).toContain(breaks);
  });

  it.each(PLANTS.filter((plant) => plant.breaks === null))('allow $file', ({ file }) => {
    expect(planted.filter((violation) => violation.from === file)).toEqual([]);
  });
});
