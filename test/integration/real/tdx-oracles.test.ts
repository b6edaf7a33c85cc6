import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import { DcapTdQuoteVerifier } from '../../../src/tee/tdx/td-quote-verifier.js';
import { type Asked, askPackage, askWebAssembly, type OracleVerdict } from '../../dcap-oracles.js';
import { createIntelPki } from '../../lab/intel-pki.js';
import { TdxPlatform } from '../../lab/tdx-platform.js';
import { collateralOf, quoteFileOf } from '../../real-tdx-evidence.js';
import { haveVectors, readVector, type Vector, vector, vectors } from '../../vectors.js';
import { AGREEING, DIFFERING, type LabCase, REAL_DIFFERENCES } from './tdx-oracle-cases.js';

/**
 * Quotes that a genuine platform made, judged here and by two other verifiers. On what is accepted all are of one mind:
 * status and advisories. The rest is data: each difference with the clause that decides it, and that it is one.
 *
 * Neither oracle says the statuses that it merges, nor judges TDX modules; the lab's quotes are for the one alone that
 * takes another root than Intel's. There, one part at a time is not up to date, so that the merged status tells of it.
 */

const ABOUT = { quote: '/evidence/quote', collateral: '/evidence/collateral' };
const AT = new Date('2026-06-01T12:00:00Z');
const PKI = createIntelPki({ at: AT });

const ofIntel = new DcapTdQuoteVerifier({});
const ofLab = new DcapTdQuoteVerifier({ pins: PKI.pins });

async function judge(verifier: DcapTdQuoteVerifier, { quote, collateral, at }: Asked): Promise<OracleVerdict> {
  try {
    const endorsements = { snp: null, tdx: { value: collateral, origin: 'evidence' } } as const;
    const { checks, claims } = verifier.open(quote, null, ABOUT).verify({ at, endorsements });
    const failed = [
      ...new Set(checks.filter(({ result }) => result === 'fail' || result === 'unavailable').map(({ id }) => id)),
    ];
    if (failed.length > 0 || claims === null || claims.tcb.status === null)
      return { accepted: false, because: failed.join() };
    return { accepted: true, status: claims.tcb.status, advisories: claims.tcb.advisories };
  } catch (error) {
    if (error instanceof FormatError) return { accepted: false, because: error.code };
    throw error;
  }
}

/** Why something is refused is each verifier's own; the order of advisories says nothing. */
function comparable(verdict: OracleVerdict): object {
  if (!verdict.accepted) return { accepted: false };
  return { ...verdict, advisories: [...verdict.advisories].sort() };
}

/** One that has no collateral is refused with any. */
function realCase(entry: Vector): Asked {
  const from: string = entry.expect.facts.collateral?.from ?? 'collateral-b0c06f-2025-06';
  return {
    quote: readVector(quoteFileOf(entry)),
    collateral: collateralOf(readVector(`collateral/${from}.json`)),
    at: new Date(entry.verifyAt ?? ''),
  };
}

function labCase({ platform = {}, quote = {}, collateral = {} }: LabCase): Asked {
  const made = new TdxPlatform({ pki: PKI, ...platform });
  return { quote: made.quote(quote), collateral: made.collateral(collateral), at: AT };
}

const withQuote = ({ files }: Vector) => files.some((file) => file.endsWith('quote.bin'));
const real = haveVectors ? vectors('tdx', 'az-tdx-vtpm').filter(withQuote) : [];
const isAccepted = ({ id, expect: { verdict } }: Vector) => verdict === 'verifies' && !REAL_DIFFERENCES.has(id);

describe.skipIf(!haveVectors)('real quotes', () => {
  it.each(real.filter(isAccepted))('$id is the same to all three', async (entry) => {
    const asked = realCase(entry);
    const ours = comparable(await judge(ofIntel, asked));
    expect(ours).toEqual(comparable(askPackage(asked)));
    expect(ours).toEqual(comparable(askWebAssembly(asked)));
  });

  it.each([...REAL_DIFFERENCES])(
    '%s is not, and a clause decides',
    async (id, { clause, ours, javaScript, webAssembly }) => {
      const asked = realCase(vector(id));
      expect(await judge(ofIntel, asked), clause).toMatchObject(ours);
      expect(askPackage(asked), clause).toMatchObject(javaScript);
      expect(askWebAssembly(asked), clause).toMatchObject(webAssembly);
    },
  );

  it.each(real.filter(({ expect: { verdict } }) => verdict === 'fails'))(
    '$id is refused by all three',
    async (entry) => {
      const asked = realCase(entry);
      const verdicts = [await judge(ofIntel, asked), askPackage(asked), askWebAssembly(asked)];
      expect(verdicts.map(({ accepted }) => accepted)).toEqual([false, false, false]);
    },
  );

  it('are accepted, all but the TD that is debugged: who refuses everything agrees with that too', async () => {
    const verdicts = await Promise.all(real.filter(isAccepted).map((entry) => judge(ofIntel, realCase(entry))));
    expect(verdicts.filter(({ accepted }) => accepted).length).toBe(3);
  });
});

describe('quotes of the lab', () => {
  it.each(AGREEING)('$title: the same to both', async (made) => {
    const asked = labCase(made);
    const ours = await judge(ofLab, asked);
    expect(ours).toMatchObject({ accepted: true, status: made.status });
    expect(comparable(ours)).toEqual(comparable(askPackage(asked, PKI.root.der)));
  });

  it.each(DIFFERING)('$title: not the same, and a clause decides', async (made) => {
    const asked = labCase(made);
    expect(await judge(ofLab, asked), made.clause).toMatchObject(made.ours);
    expect(askPackage(asked, PKI.root.der), made.clause).toMatchObject(made.theirs);
  });

  it('are refused by the oracle that knows Intel alone, as by us where the lab is not pinned', async () => {
    const asked = labCase({});
    expect(askWebAssembly(asked)).toMatchObject({
      accepted: false,
      because: expect.stringContaining('Signature'),
    });
    expect(await judge(ofIntel, asked)).toMatchObject({
      accepted: false,
      because: expect.stringContaining('cert_untrusted'),
    });
  });
});
