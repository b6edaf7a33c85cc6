import { describe, expect, it } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import type { EndorsementSet } from '../../../src/core/endorsement.js';
import { FormatError } from '../../../src/core/errors.js';
import type { Verification } from '../../../src/core/verification.js';
import { evidenceSha256 } from '../../../src/tee/evidence-identity.js';
import type { TdQuoteVerification } from '../../../src/tee/shared/evidence/parts.js';
import { DcapTdQuoteVerifier } from '../../../src/tee/tdx/td-quote-verifier.js';
import { TdxVerifier } from '../../../src/tee/tdx/tdx-verifier.js';
import { readVerifyRequest } from '../../../src/wire/read-requests.js';
import { collateralOf, quoteFileOf, type ReadFile } from '../../real-tdx-evidence.js';
import {
  applyRecipe,
  haveVectors,
  type Recipe,
  readVector,
  recipes,
  type Vector,
  vector,
  vectors,
} from '../../vectors.js';

const ABOUT = { quote: '/evidence/quote', collateral: '/evidence/collateral' };
const verifier = new DcapTdQuoteVerifier({});

const failed = ({ checks }: Pick<Verification, 'checks'>) => [
  ...new Set(checks.filter(({ result }) => result === 'fail').map(({ id }) => id)),
];
const undecided = ({ checks }: Pick<Verification, 'checks'>) => [
  ...new Set(checks.filter(({ result }) => result === 'unavailable').map(({ id }) => id)),
];

function endorsing(file: string, read: ReadFile = readVector): EndorsementSet {
  return { snp: null, tdx: { value: collateralOf(read(file)), origin: 'evidence' } };
}

/** The collateral that goes with a quote of the vectors; one that has none is judged by any. */
function collateralFileOf({ expect: { facts } }: Vector): string {
  return `collateral/${facts.collateral?.from ?? 'collateral-b0c06f-2025-06'}.json`;
}

async function verify(
  bytes: Uint8Array,
  endorsements: EndorsementSet,
  at: string | null,
): Promise<TdQuoteVerification> {
  return verifier.open(bytes, null, ABOUT).verify({ at: new Date(at ?? ''), endorsements });
}

/** A quote of the vectors; one of them has text after its end, which is cut where the rest is to be looked at. */
function quoteOf(entry: Vector, read: ReadFile = readVector): Uint8Array {
  const bytes = read(quoteFileOf(entry));
  return entry.id === 'tdx-v4-spr-2023' ? bytes.subarray(0, bytes.byteLength - 39) : bytes;
}

const parsed = (entry: Vector) => !['tdx-neg-sgx-quote', 'tdx-neg-lookalike-root'].includes(entry.id);
const accepted = (entry: Vector) => entry.expect.verdict === 'verifies';
const quotes = haveVectors ? vectors('tdx') : [];

describe.skipIf(!haveVectors)('real quotes get the verdict of their manifest, and its facts', () => {
  it.each(quotes.filter(accepted))('$id verifies, with its statuses and claims', async (entry) => {
    const { facts } = entry.expect;
    const found = await verify(quoteOf(entry), endorsing(collateralFileOf(entry)), entry.verifyAt);
    const debug: readonly CheckId[] = facts.debug ? ['tdx_debug'] : [];
    expect(failed(found)).toEqual(debug);
    expect(undecided(found)).toEqual([]);
    expect(found.required.filter((id) => !found.checks.some((check) => check.id === id))).toEqual([]);
    const { claims } = found;
    const { tcb, tcbInfo } = facts.collateral;
    expect(claims).toMatchObject({
      quoteVersion: facts.version,
      teeTcbSvn: facts.teeTcbSvn,
      mrSeam: facts.mrSeam,
      mrSignerSeam: facts.mrSignerSeam,
      xfam: facts.xfam,
      mrtd: facts.mrTd,
      mrConfigId: facts.mrConfigId,
      mrOwner: facts.mrOwner,
      mrOwnerConfig: facts.mrOwnerConfig,
      rtmr: [facts.rtmr0, facts.rtmr1, facts.rtmr2, facts.rtmr3],
      reportData: facts.reportData,
      fmspc: facts.pck.fmspc,
      pceId: facts.pck.pceId,
      tcb: {
        platformStatus: tcb.platformTcbStatus,
        moduleStatus: tcb.moduleTcbStatus ?? null,
        qeStatus: tcb.qeTcbStatus,
        evaluationDataNumber: tcbInfo.tcbEvaluationDataNumber,
      },
    });
    expect(claims?.tcb.advisories).toEqual(expect.arrayContaining(tcb.platformAdvisories));
    expect(attributesHex(claims?.tdAttributes)).toBe(facts.tdAttributes);
    expect(Date.parse(claims?.tcb.date ?? '')).toBeLessThanOrEqual(Date.parse(tcb.platformTcbDate));
    expect(found.validUntil?.toISOString()).toBe(new Date(facts.collateral.validTo).toISOString());
  });

  it.each(quotes.filter((entry) => parsed(entry) && !accepted(entry)))(
    'TDX-11 $id reaches no level: the components are named, and the statuses that there are',
    async (entry) => {
      const found = await verify(quoteOf(entry), endorsing(collateralFileOf(entry)), entry.verifyAt);
      expect(failed(found)).toEqual(['tdx_tcb_level_unsupported']);
      const { facts } = entry.expect;
      expect(found.claims).toMatchObject({
        mrtd: facts.mrTd,
        tcb: {
          status: null,
          platformStatus: null,
          moduleStatus: facts.collateral.tcb.moduleTcbStatus ?? null,
          qeStatus: facts.collateral.tcb.qeTcbStatus,
          date: null,
          evaluationDataNumber: facts.collateral.tcbInfo.tcbEvaluationDataNumber,
        },
      });
      const { expected, actual } = found.checks.find(({ id }) => id === 'tdx_tcb_level_unsupported') ?? {};
      const { lowestLevel } = entry.expect.facts.collateral.tcb;
      const { sgxTcbComponents, pceSvn } = entry.expect.facts.pck;
      expect(Object.keys(expected ?? {})).not.toEqual([]);
      expect(Object.keys(actual ?? {})).toEqual(Object.keys(expected ?? {}));
      expect(expected).toMatchObject(
        Object.fromEntries(
          lowestLevel.sgx.flatMap((need: number, index: number) =>
            need > sgxTcbComponents[index] ? [[`sgxtcbcomponents[${index}]`, need]] : [],
          ),
        ),
      );
      expect(pceSvn).toBeGreaterThanOrEqual(lowestLevel.pcesvn);
    },
  );

  it('TDX-03 refuses the quote that has text after its end', async () => {
    const entry = vector('tdx-v4-spr-2023');
    await expect(
      verify(readVector(quoteFileOf(entry)), endorsing(collateralFileOf(entry)), entry.verifyAt),
    ).rejects.toMatchObject({ code: 'tdx_trailing', pointer: '/evidence/quote' });
  });

  it.each([
    ['tdx-neg-sgx-quote', 'type_mismatch'],
    ['tdx-neg-lookalike-root', 'tdx_format'],
  ])('TDX-01 refuses %s', async (id, code) => {
    const entry = vector(id);
    await expect(verify(quoteOf(entry), endorsing(collateralFileOf(entry)), entry.verifyAt)).rejects.toMatchObject({
      code,
    });
  });

  it('asks for collateral of the platform that the certificate of the quote names', () => {
    const entry = vector('tdx-v4-gcp-2026');
    const [request] = verifier.open(quoteOf(entry), null, ABOUT).needs;
    expect(request).toEqual({ kind: 'intel-tdx', fmspc: '00806f050000', ca: 'platform', supplied: null });
  });

  it('a nonce that is REPORTDATA, followed by zeros, is held to be there; another is not', async () => {
    const entry = vector('tdx-v4-b0c06f');
    const evidence = { type: 'tdx', quote: quoteOf(entry), runtimeData: null, collateral: null, ccel: null } as const;
    const value = Buffer.from(entry.expect.facts.reportData, 'hex');
    const context = { at: new Date(entry.verifyAt ?? ''), endorsements: endorsing(collateralFileOf(entry)) };
    const tdx = new TdxVerifier(verifier, new Set(), 2 ** 20);
    const held = await tdx.open(evidence).verify({ ...context, binding: { nonce: value, value, jkt: null } });
    expect(held.bound).toEqual(['tdx.reportData']);
    const other = value.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
    const refused = await tdx.open(evidence).verify({ ...context, binding: { nonce: other, value: other, jkt: null } });
    expect(failed(refused)).toEqual(['nonce_mismatch']);
  });
});

/** Codes that are right for each reason of the recipes (codes of the contract); `cert_*` is every code of that area. */
const CODES: ReadonlyMap<string, readonly string[]> = new Map([
  ['tdx-parse', ['tdx_format', 'tdx_qe_vendor']],
  ['tdx-tee-type', ['type_mismatch', 'tdx_format']],
  ['tdx-signature', ['tdx_signature']],
  ['tdx-att-key-binding', ['tdx_qe_binding']],
  ['tdx-qe-report-signature', ['tdx_qe_report_signature']],
  ['qe-identity-mismatch', ['tdx_qe_identity', 'tdx_qe_attributes', 'tdx_qe_svn']],
  ['tdx-pck-chain', ['cert_', 'tdx_format']],
  ['collateral-parse', ['schema', 'encoding']],
  ['collateral-signature', ['tdx_tcb_info', 'tdx_qe_identity', 'crl_invalid']],
  ['collateral-chain', ['cert_']],
  ['collateral-fmspc-mismatch', ['tdx_tcb_info']],
  ['collateral-expired', ['collateral_stale']],
  ['collateral-not-yet-valid', ['collateral_not_yet']],
  ['no-tcb-level', ['tdx_tcb_level_unsupported']],
]);

/** The quote that a set of collateral is of. */
function quoteFor(base: Vector): Vector {
  if (base.family === 'tdx') return base;
  const found = vectors('tdx').find((entry) => entry.expect.facts.collateral?.from === base.id && accepted(entry));
  if (found === undefined) throw new Error(`no quote for ${base.id}`);
  return found;
}

async function codesOf(recipe: Recipe): Promise<readonly string[]> {
  const base = vector(recipe.base);
  const entry = quoteFor(base);
  const read = (file: string) => applyRecipe(recipe, file);
  const replaced = recipe.op === 'replaceFile' ? (recipe.with ?? '') : collateralFileOf(entry);
  try {
    const found = await verify(quoteOf(entry, read), endorsing(replaced, read), recipe.verifyAt ?? entry.verifyAt);
    expect([...failed(found), ...undecided(found)]).not.toEqual([]);
    return [...failed(found), ...undecided(found)];
  } catch (error) {
    if (error instanceof FormatError) return [error.code];
    throw error;
  }
}

/** The log of a TD is not the verifier's of its quote. */
const ofQuote = ({ file }: Recipe) => file?.includes('.ccel-') !== true;

describe.skipIf(!haveVectors)('mutations of real quotes and collateral are refused, for their reason', () => {
  it.each(haveVectors ? recipes('tdx', 'collateral').filter(ofQuote) : [])('$id $base: $field', async (recipe) => {
    const codes = await codesOf(recipe);
    const right = [recipe.expectedReason, ...recipe.alsoFails].flatMap((reason) => CODES.get(reason) ?? []);
    const fits = (code: string) => right.some((one) => (one.endsWith('_') ? code.startsWith(one) : code === one));
    expect(codes.filter(fits), `${codes.join()} for ${recipe.expectedReason}`).not.toEqual([]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: claims of a quote, by name
function attributesHex(claims: any): string {
  const bits = {
    debug: 0,
    icssd: 16,
    lass: 27,
    serviceTdExt: 17,
    septVeDisable: 28,
    migratable: 29,
    pks: 30,
    keyLocker: 31,
    tpa: 62,
    perfmon: 63,
  };
  const value = Object.entries(bits).reduce(
    (sum, [name, bit]) => (claims?.[name] ? sum | (1n << BigInt(bit)) : sum),
    0n,
  );
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}

describe.skipIf(!haveVectors)('a real TD of Trustee', () => {
  it('is read from quote and CCEL with the identity of the native form', () => {
    const base64 = (file: string) => Buffer.from(readVector(file)).toString('base64');
    const quote = base64('tdx/tdx-v4-with-ccel.quote.bin');
    const ccel = base64('tdx/tdx-v4-with-ccel.ccel-data.bin');
    const read = (evidence: object) => readVerifyRequest(Buffer.from(JSON.stringify({ evidence }))).evidence;
    const found = read({ type: 'tdx', dialect: 'trustee', value: { quote, cc_eventlog: ccel } });
    const native = read({ type: 'tdx', quote, ccel });
    expect(found).toEqual(native);
    expect(evidenceSha256(found)).toBe(evidenceSha256(native));
  });
});
