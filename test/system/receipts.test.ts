import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompactSign, decodeJwt, exportJWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ReceiptVectors, receiptVectors } from '../receipts/vectors.js';
import { isLacking } from '../requirements.js';
import { type Answered, Client } from './client.js';
import { Lab } from './lab.js';
import { ServiceProcess } from './service-process.js';

const PYTHON = { what: 'python3 with cryptography', command: ['python3', '-c', 'import cryptography'] } as const;
const GO = { what: 'go', command: ['go', 'version'] } as const;
const PARTY = fileURLToPath(new URL('relying-party/relying_party.py', import.meta.url));

const AUDIENCE = 'https://gate.example';
const POLICY = 'azure-cvm-baseline';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const KEYS: readonly (readonly [alg: string, make: () => KeyObject])[] = [
  ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
  ['EdDSA', () => generateKeyPairSync('ed25519').privateKey],
  ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey],
];

/** Checks of examples/receipts, which people copy: what makes each ready to run in a folder, and answers its command. */
const SHORT_CHECKS: readonly (readonly [name: string, prepare: (folder: string) => readonly string[]])[] = [
  ['check_receipt.py', () => ['python3', '-I', '-B', 'examples/receipts/check_receipt.py']],
  ['check_receipt.py with -O', () => ['python3', '-I', '-B', '-O', 'examples/receipts/check_receipt.py']],
  ['check_receipt.go', (folder) => [compiled('examples/receipts/check_receipt.go', join(folder, 'check_receipt'))]],
];

/** The toolchain that is installed compiles it, without a module from elsewhere. */
function compiled(source: string, program: string): string {
  const { PATH = '' } = process.env;
  const env = {
    PATH,
    HOME: tmpdir(),
    GOTOOLCHAIN: 'local',
    GOPROXY: 'off',
    GOCACHE: join(tmpdir(), 'veritee-go-cache'),
  };
  const { status, stderr } = spawnSync('go', ['build', '-o', program, source], { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`go ended with ${status}: ${stderr}`);
  return program;
}

type Known = Pick<ReceiptVectors, 'now' | 'keySet' | 'expected'>;

/** The steps that refuse these receipts, by the relying party in Python. */
function stepsThatRefuse(known: Known, receipts: readonly string[]): readonly (number | null)[] {
  const input = JSON.stringify({ ...known, receipts });
  const { status, stdout, stderr } = spawnSync('python3', ['-I', '-B', PARTY], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  if (status !== 0) throw new Error(`the relying party ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Whether a check of examples/receipts ends with 0. */
async function acceptsReceipt(
  [program = '', ...args]: readonly string[],
  folder: string,
  receipt: string,
  { keySet, expected }: Known,
): Promise<boolean> {
  const files = {
    'receipt.txt': receipt,
    'keys.json': JSON.stringify(keySet),
    'expected.json': JSON.stringify(expected),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const names = Object.keys(files).map((name) => join(folder, name));
  const { status, stderr } = spawnSync(program, [...args, ...names], { encoding: 'utf8' });
  if (status !== 0 && status !== 1) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return status === 0;
}

/** A text with one bit of one character changed, where a character is six bits; a dot becomes a letter. */
function changedAt(text: string, at: number): string {
  const bit = 1 << (at % 6);
  const changed = BASE64URL.charAt(Math.max(BASE64URL.indexOf(text.charAt(at)), 0) ^ bit);
  return text.slice(0, at) + changed + text.slice(at + 1);
}

function everyPosition(text: string, alter: (at: number) => string): readonly string[] {
  return Array.from({ length: text.length }, (_, at) => alter(at));
}

describe.skipIf(isLacking('receipts at relying parties in Python and Go', [PYTHON, GO]))(
  'a relying party in Python',
  () => {
    const { receipts, ...known } = receiptVectors();
    let lab: Lab;

    beforeAll(async () => {
      lab = await Lab.create();
    });

    afterAll(() => lab.close());

    it('REC-01 refuses each receipt of docs/generated/receipt-vectors.json at the step that it breaks', () => {
      const steps = stepsThatRefuse(
        known,
        receipts.map(({ receipt }) => receipt),
      );
      expect(receipts.map(({ name }, index) => [name, steps[index]])).toEqual(
        receipts.map(({ name, fails }) => [name, fails]),
      );
    });

    describe.each(KEYS)('and a service that signs with %s', (alg, make) => {
      let service: ServiceProcess;
      let client: Client;
      let allow: Judged;
      let deny: Judged;

      beforeAll(async () => {
        const file = join(lab.folder, `${alg}.pem`);
        await writeFile(file, make().export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
        service = await ServiceProcess.start(await lab.command({ receipts: { key: file } }), { cwd: lab.workFolder });
        client = new Client(service.url, 1);
        allow = await judged('allow');
        deny = await judged('deny');
      });

      afterAll(async () => {
        client.close();
        await service.close();
      });

      /** Has a VM judged, and takes what a relying party for it would have configured. */
      async function judged(decision: 'allow' | 'deny'): Promise<Judged> {
        const question = lab.questions.find((one) => one.decision === decision && one.body.includes('"az-snp-vtpm"'));
        const request = JSON.parse(question?.body ?? '');
        const answer = await client.ask({ body: JSON.stringify({ ...request, audience: AUDIENCE }) });
        expect(answer.body).toMatchObject({ decision, receipt: expect.any(String) });
        return { receipt: answer.body.receipt, known: await knownOf(answer, request.nonce) };
      }

      async function knownOf({ body }: Answered, nonce: string): Promise<Known> {
        const published = await client.get('/.well-known/jwks.json');
        if ('error' in published) throw new Error(published.error);
        const [{ id, sha256 }] = body.policies;
        return {
          now: Math.floor(Date.now() / 1000),
          keySet: published.body,
          expected: {
            issuer: service.url,
            audience: AUDIENCE,
            nonce,
            subject: `default:${POLICY}`,
            policies: [{ id, sha256 }],
            evidenceTypes: ['az-snp-vtpm'],
          },
        };
      }

      it('accepts the receipt of an allow, and does so until it ends', () => {
        expect(allow.known.keySet.keys).toMatchObject([{ alg }]);
        const stepAt = (now: number) => stepsThatRefuse({ ...allow.known, now }, [allow.receipt]);
        expect(stepAt(allow.known.now)).toEqual([null]);
        expect(stepAt(allow.known.now + 300)).toEqual([8]);
      });

      it('DEC-11 refuses the receipt of a deny for its audience', () => {
        expect(stepsThatRefuse(deny.known, [deny.receipt])).toEqual([6]);
      });

      it('REC-01 refuses the receipt of an allow with any character of it changed or left out', () => {
        const { receipt, known } = allow;
        const changed = everyPosition(receipt, (at) => changedAt(receipt, at));
        const shortened = everyPosition(receipt, (at) => receipt.slice(0, at) + receipt.slice(at + 1));
        const steps = stepsThatRefuse(known, [...changed, ...shortened]);
        expect(steps).toHaveLength(2 * receipt.length);
        // None of them gets past the signature to the claims.
        expect(new Set(steps)).toEqual(new Set([1, 2, 3, 4]));
      });

      it('REC-01 refuses the receipt of an allow with the last bits of its signature changed', () => {
        const { receipt, known } = allow;
        const last = BASE64URL.indexOf(receipt.slice(-1));
        const others = [...BASE64URL].filter((_, value) => value !== last);
        const steps = stepsThatRefuse(
          known,
          others.map((character) => receipt.slice(0, -1) + character),
        );
        expect(steps).toHaveLength(63);
        expect(steps.filter((step) => step !== 1 && step !== 4)).toEqual([]);
      });

      it('REC-01 refuses the receipt of an allow for another relying party, policy or request', () => {
        const { receipt, known } = allow;
        const stepOf = (members: Partial<Known['expected']>) =>
          stepsThatRefuse({ ...known, expected: { ...known.expected, ...members } }, [receipt]);
        expect(stepOf({ issuer: `${service.url}/` })).toEqual([5]);
        expect(stepOf({ audience: 'https://other.example' })).toEqual([6]);
        expect(stepOf({ nonce: Buffer.alloc(32).toString('base64url') })).toEqual([7]);
        expect(stepOf({ subject: `other:${POLICY}` })).toEqual([10]);
        expect(stepOf({ policies: [{ id: POLICY, sha256: 'ab'.repeat(32) }] })).toEqual([10]);
        expect(stepOf({ evidenceTypes: ['snp'] })).toEqual([11]);
      });

      // The short checks of examples/receipts read receipts of the default algorithm only.
      if (alg !== 'ES256') return;

      it.each(SHORT_CHECKS)('REC-01 is %s, to copy: it accepts an allow and refuses others', async (_name, prepare) => {
        const command = prepare(lab.folder);
        const { receipt, known } = allow;
        const accepts = (text: string, members: Partial<Known['expected']> = {}) =>
          acceptsReceipt(command, lab.folder, text, { ...known, expected: { ...known.expected, ...members } });
        expect(await accepts(receipt)).toBe(true);
        expect(await accepts(deny.receipt, { nonce: deny.known.expected.nonce })).toBe(false);
        expect(await accepts(changedAt(receipt, receipt.indexOf('.') + 20))).toBe(false);
        expect(await accepts(changedAt(receipt, receipt.length - 20))).toBe(false);
        expect(await accepts(receipt, { issuer: `${service.url}/` })).toBe(false);
        expect(await accepts(receipt, { audience: 'https://other.example' })).toBe(false);
        expect(await accepts(receipt, { nonce: Buffer.alloc(32).toString('base64url') })).toBe(false);
        expect(await accepts(receipt, { subject: `other:${POLICY}` })).toBe(false);
        expect(await accepts(receipt, { policies: [{ id: POLICY, sha256: 'ab'.repeat(32) }] })).toBe(false);
        expect(await accepts(receipt, { evidenceTypes: ['snp'] })).toBe(false);
      });

      it.each(SHORT_CHECKS)(
        'REC-01 is %s, to copy: it accepts no receipt where no nonce is expected',
        async (_name, prepare) => {
          const command = prepare(lab.folder);
          const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
          const keySet = { keys: [{ ...(await exportJWK(key.publicKey)), kid: 'own' }] };
          const now = Math.floor(Date.now() / 1000);
          const signed = (claims: object) =>
            new CompactSign(
              Buffer.from(
                JSON.stringify({ ...decodeJwt(allow.receipt), iat: now, nbf: now, exp: now + 300, ...claims }),
              ),
            )
              .setProtectedHeader({ alg: 'ES256', typ: 'eat+jwt', kid: 'own' })
              .sign(key.privateKey);
          const { nonce, ...expected } = allow.known.expected;
          const accepts = async (claims: object, demanded: object) =>
            acceptsReceipt(command, lab.folder, await signed(claims), {
              ...allow.known,
              keySet,
              expected: demanded,
            } as Known);
          expect(await accepts({}, { ...expected, nonce })).toBe(true);
          expect(await accepts({ eat_nonce: undefined }, expected)).toBe(false);
        },
      );
    });
  },
);

/** A receipt, and what its relying party has. */
interface Judged {
  readonly receipt: string;
  readonly known: Known;
}
