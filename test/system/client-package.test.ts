import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, stop } from 'esbuild';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { receiptVectors } from '../receipts/vectors.js';
import { isLacking } from '../requirements.js';
import { CHROMIUM, runInBrowser } from './browser.js';
import { Client } from './client.js';
import { InstalledClient } from './client-package.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const AUDIENCE = 'https://gate.example';
const { now, keySet, expected, receipts } = receiptVectors();
const { nonce, ...configured } = expected;

/** The inputs of a module that checks the receipts of docs/generated/receipt-vectors.json. */
const VECTORS = JSON.stringify({ now, keySet, nonce, configured, receipts });

/** Puts the step that refuses each of the receipts into `steps`. */
const JUDGE_VECTORS = `
  const vectors = ${VECTORS};
  const clock = () => new Date(vectors.now * 1000);
  const steps = [];
  for (const { receipt } of vectors.receipts) {
    const verifier = createReceiptVerifier({ ...vectors.configured, keys: vectors.keySet, clock });
    steps.push(await verifier.verify(receipt, { nonce: vectors.nonce }).then(() => null, ({ step }) => step));
  }
`;
const STEPS = receipts.map(({ fails }) => fails);

let client: InstalledClient;

beforeAll(() => {
  client = InstalledClient.create();
});

afterAll(async () => {
  client.remove();
  await stop();
});

describe('the package veritee-client', () => {
  const read = (path: string) => readFileSync(join(client.folder, 'node_modules', path), 'utf8');

  it('holds what was compiled, and what is said of it', () => {
    const others = client.files.filter((path) => !/^dist\/(?:generated\/)?[a-z-]+\.(?:js|d\.ts)$/.test(path));
    expect([...others].sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(client.files).toContain('dist/index.d.ts');
    expect(read('veritee-client/LICENSE')).toBe(readFileSync('LICENSE', 'utf8'));
  });

  it('is installed with jose, and nothing else', () => {
    const { packages } = JSON.parse(read('.package-lock.json'));
    expect(Object.keys(packages).sort()).toEqual(['node_modules/jose', 'node_modules/veritee-client']);
    const { version, engines } = JSON.parse(read('veritee-client/package.json'));
    const project = JSON.parse(readFileSync('package.json', 'utf8'));
    expect([version, engines]).toEqual([project.version, project.engines]);
  });

  it('REC-01 refuses each receipt of docs/generated/receipt-vectors.json at the step that it breaks', () => {
    const printed = client.run(`
      import { createReceiptVerifier } from 'veritee-client';
      ${JUDGE_VECTORS}
      console.log(JSON.stringify(steps));
    `);
    expect(JSON.parse(printed)).toEqual(STEPS);
  });

  it('has types under which the examples of its README compile, and calls that ask for less do not', () => {
    const examples = client.examples().map((code, at) => [`example-${at}.ts`, code] as const);
    expect(examples.length).toBe(3);
    const calls = CALLS.map(([name, call]) => [`${name}.ts`, moduleWith(call)] as const);
    const files = new Map([...examples, ...calls].map(([name, code]) => [join(client.folder, name), code]));
    expect(filesWithProblems(files)).toEqual(['policy-by-name.ts', 'without-audience.ts', 'without-nonce.ts']);
  });
});

const CALLS = [
  ['right', "verifier.verify(receipt, { nonce: '' })"],
  ['without-nonce', 'verifier.verify(receipt, {})'],
  ['policy-by-name', "createReceiptVerifier({ ...options, policies: ['payments'] })"],
  ['without-audience', 'createReceiptVerifier({ ...options, audience: undefined })'],
] as const;

function moduleWith(call: string): string {
  return `
    import { createReceiptVerifier, type ReceiptVerifierOptions } from 'veritee-client';
    declare const options: ReceiptVerifierOptions;
    declare const receipt: string;
    export const verifier = createReceiptVerifier(options);
    export const made = ${call};
  `;
}

/** Those of some files, which are in memory alone, that do not compile; declarations that do not are among them. */
function filesWithProblems(files: ReadonlyMap<string, string>): readonly string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => files.get(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.getSourceFile = (path, language, ...rest) => {
    const code = files.get(path);
    return code === undefined ? getSourceFile(path, language, ...rest) : ts.createSourceFile(path, code, language);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const names = ts.getPreEmitDiagnostics(program).map(({ file }) => basename(file?.fileName ?? 'no file'));
  return [...new Set(names)].sort();
}

describe.skipIf(isLacking('receipts in a browser', [CHROMIUM]))('the package veritee-client in Chromium', () => {
  /** The code, bundled with the package as a page has it, and what it returned. */
  async function inBrowser(code: string): Promise<unknown> {
    const contents = `
      import { createReceiptVerifier, createVeriteeClient } from 'veritee-client';
      const run = async () => {${code}};
      run().catch((error) => ({ failed: String(error) })).then((result) =>
        fetch('/result', { method: 'POST', body: JSON.stringify(result) }),
      );
    `;
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: client.folder },
      bundle: true,
      platform: 'browser',
      format: 'iife',
      write: false,
    });
    return runInBrowser(outputFiles[0]?.text ?? '');
  }

  it('REC-01 refuses each receipt of docs/generated/receipt-vectors.json at the step that it breaks', async () => {
    expect(await inBrowser(`${JUDGE_VECTORS} return steps;`)).toEqual(STEPS);
  });

  it('does not ask a service', async () => {
    const code = `
      try {
        return createVeriteeClient({});
      } catch (error) {
        return error.message;
      }
    `;
    expect(await inBrowser(code)).toContain('createVeriteeClient does not work in a browser');
  });

  it('REC-01 verifies the receipt of a service, with the keys that the service shows to pages, and no altered one', async () => {
    const lab = await Lab.create();
    const service = await ServiceProcess.start(await lab.command(), { cwd: lab.workFolder });
    const asks = new Client(service.url, 1);
    try {
      const request = JSON.parse(lab.bodies('az-snp-vtpm')[0] ?? '');
      const { body } = await asks.ask({ body: JSON.stringify({ ...request, audience: AUDIENCE }) });
      expect(body).toMatchObject({ decision: 'allow', receipt: expect.any(String) });
      const options = {
        issuer: service.url,
        audience: AUDIENCE,
        policies: body.policies.map(({ id, sha256 }: { id: string; sha256: string }) => ({ id, sha256 })),
        evidenceTypes: ['az-snp-vtpm'],
        tenant: 'default',
      };
      const code = `
        const verifier = createReceiptVerifier(${JSON.stringify(options)});
        const outcomeOf = (receipt) =>
          verifier.verify(receipt, { nonce: ${JSON.stringify(request.nonce)} }).then(
            ({ decision, decisionId }) => [decision, decisionId],
            ({ name, code }) => [name, code],
          );
        const genuine = ${JSON.stringify(body.receipt)};
        const altered = ${JSON.stringify(alter(body.receipt))};
        return [await outcomeOf(altered), await outcomeOf(genuine), await outcomeOf(genuine)];
      `;
      expect(await inBrowser(code)).toEqual([
        ['ReceiptError', 'receipt_signature'],
        ['allow', body.decisionId],
        ['ReceiptError', 'receipt_nonce'],
      ]);
    } finally {
      asks.close();
      await service.close();
      await lab.close();
    }
  });
});

/** The receipt with another decision id in it. */
function alter(receipt: string): string {
  const [header, payload = '', signature] = receipt.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const altered = Buffer.from(JSON.stringify({ ...claims, jti: '00000000-0000-7000-8000-000000000000' }));
  return `${header}.${altered.toString('base64url')}.${signature}`;
}
