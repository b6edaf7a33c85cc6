import { describe, expect, it } from 'vitest';
import type { SnpClaims, SnpTcb } from '../../../src/core/claims.js';
import { BASELINE, judge, verifiersOf } from '../../judge.js';
import { azSnpEvidenceOf, nonceOf, realChains, snpEvidenceOf } from '../../real-evidence.js';
import { haveVectors, readVector, type Vector, vector, vectors } from '../../vectors.js';

/** Whatever the firmware, whatever its age: what is asked here is whether the evidence is genuine. */
const GENUINE = `{ apiVersion: veritee/v1, id: genuine, version: 1, accepts: [snp, az-snp-vtpm], minimums: { snp: any },
  freshness: none, revocation: best-effort, allowDebug: true, paravisor: any }`;

/** The baseline's rules without AMD's CRL, which no public source has. */
const BEST_EFFORT = `{ apiVersion: veritee/v1, id: best-effort, version: 1, accepts: [az-snp-vtpm], secureBoot: required, revocation: best-effort,
  minimums: { snp: { Milan: { snp: 24, microcode: 219 } } } }`;

const verifiers = verifiersOf();

function judgeVector(entry: Vector, policies: readonly string[], withNonce = false) {
  const evidence = entry.family === 'snp' ? snpEvidenceOf(entry) : azSnpEvidenceOf(entry);
  return judge(evidence, withNonce ? { nonce: nonceOf(entry) } : {}, {
    verifiers,
    endorsements: realChains(entry.id.includes('vlek') ? 'vlek' : 'vcek'),
    at: new Date(entry.verifyAt ?? ''),
    policies: policies.map((policy) => (policy === 'baseline' ? BASELINE : policy)),
  });
}

const whole = (entry: Vector) => entry.family === 'snp' || entry.files.some((file) => file.endsWith('.quote.msg'));

describe.skipIf(!haveVectors)('real evidence gets the verdict of its manifest, and its facts', () => {
  it.each(haveVectors ? vectors('snp', 'az-snp-vtpm').filter(whole) : [])('$id $expect.verdict', async (entry) => {
    const decision = await judgeVector(entry, [GENUINE]);
    expect(decision.decision).toBe(entry.expect.verdict === 'verifies' ? 'allow' : 'deny');
    if (entry.expect.verdict === 'fails') {
      expect(decision.claims).toEqual({});
      return;
    }
    const facts = entry.expect.facts.snp ?? entry.expect.facts;
    expect(factsOf(decision.claims.snp)).toEqual(expectedSnp(facts));
  });

  it.each(haveVectors ? vectors('az-snp-vtpm').filter(whole) : [])(
    '$id: claims of vTPM and paravisor',
    async (entry) => {
      const { claims } = await judgeVector(entry, [GENUINE]);
      const facts = entry.expect.facts;
      expect(claims.tpm?.pcrs['sha256']).toEqual(facts.pcrsSha256);
      expect(claims.tpm?.clock).toEqual({
        resetCount: facts.tpmQuote.resetCount,
        restartCount: facts.tpmQuote.restartCount,
        safe: true,
      });
      expect(`0x${claims.tpm?.firmwareVersion}`).toBe(facts.tpmQuote.firmwareVersion);
      expect(claims.hcl?.userData).toBe(facts.hcl.userData.toLowerCase());
      expect(claims.hcl?.vmConfiguration).toEqual({
        consoleEnabled: facts.hcl.vmConfiguration['console-enabled'],
        secureBoot: facts.hcl.vmConfiguration['secure-boot'],
        tpmEnabled: facts.hcl.vmConfiguration['tpm-enabled'],
        vmUniqueId: facts.hcl.vmConfiguration['vmUniqueId'],
      });
      expect(claims.hcl?.paravisor).toEqual({ known: true, by: 'idKeyDigest' });
    },
  );

  it('a report whose VCEK is of another chip of the same line and TCB', async () => {
    const entry = vector('az-snp-neg-vcek-of-other-chip');
    const [hcl, pem] = entry.files.map((file) => readVector(file));
    const [vek, ...chain] = Buffer.from(pem ?? new Uint8Array())
      .toString('utf8')
      .split(/(?=-----BEGIN)/);
    const decision = await judge(
      {
        type: 'snp',
        report: (hcl ?? new Uint8Array()).subarray(32, 32 + 1184),
        runtimeData: null,
        endorsements: { vek: { pem: vek ?? '' }, chain: chain.join(''), certificateTable: null, crls: [] },
      },
      {},
      { verifiers, at: new Date(entry.verifyAt ?? ''), policies: [GENUINE] },
    );
    expect(decision.decision).toBe('deny');
    expect(decision.reasons).toEqual(['snp_chip_id', 'snp_signature']);
  });
});

describe.skipIf(!haveVectors)('current Azure machines', () => {
  it.each(['az-snp-milan-hcl1-a', 'az-snp-milan-hcl1-b'])(
    '%s is allowed with its nonce, without a CRL where the policy says so',
    async (id) => {
      const decision = await judgeVector(vector(id), [BEST_EFFORT], true);
      expect(decision.reasons).toEqual([]);
      expect(decision.decision).toBe('allow');
      expect(decision.checks.filter(({ result }) => result === 'warn').map((check) => check.id)).toContain(
        'snp_product_advisory',
      );
    },
  );

  it.each(['az-snp-milan-hcl1-a', 'az-snp-milan-hcl1-b'])(
    '%s is indeterminate under the baseline, offline',
    async (id) => {
      const decision = await judgeVector(vector(id), ['baseline'], true);
      expect(decision.decision).toBe('indeterminate');
      expect(decision.reasons).toEqual(['crl_unavailable']);
    },
  );

  it('the nonce is in the quote, and in the hardware report where the guest put it there', async () => {
    const both = await judgeVector(vector('az-snp-milan-hcl1-b'), [BEST_EFFORT], true);
    expect(both.freshness.bound).toEqual(['tpm.extraData', 'hcl.userData']);
    const one = await judgeVector(vector('az-snp-milan-hcl1-a'), [BEST_EFFORT], true);
    expect(one.freshness.bound).toEqual(['tpm.extraData']);
  });

  it('a debug guest is denied unless the policy names debug', async () => {
    const entry = vector('snp-milan-v2-debug');
    const strict = GENUINE.replace('allowDebug: true', 'allowDebug: false');
    expect((await judgeVector(entry, [strict])).reasons).toEqual(['snp_debug']);
    expect((await judgeVector(entry, [GENUINE])).decision).toBe('allow');
  });
});

/** The facts of a report that claims carry, in one form for both. */
function factsOf(snp: SnpClaims | undefined) {
  if (snp === undefined) throw new Error('no claims');
  const { version, guestSvn, vmpl, familyId, imageId, reportData, measurement, hostData, idKeyDigest } = snp;
  return {
    version,
    guestSvn,
    vmpl,
    familyId,
    imageId,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest: snp.authorKeyDigest,
    reportId: snp.reportId,
    reportIdMa: snp.reportIdMa,
    chipId: snp.chipId,
    cpuid: snp.cpuid,
    tcb: snp.tcb,
    firmware: snp.firmware,
    mitigation: snp.mitigation,
    signingKey: snp.signingKey,
    abi: [snp.policy.abiMajor, snp.policy.abiMinor],
    policy: [snp.policy.smt, snp.policy.migrateMa, snp.policy.debug, snp.policy.singleSocket],
    platformInfo: platformBits(snp),
    line: snp.product,
  };
}

function platformBits({ platformInfo }: SnpClaims): number {
  const names = [
    'smtEnabled',
    'tsmeEnabled',
    'eccEnabled',
    'raplDisabled',
    'ciphertextHidingDramEnabled',
    'aliasCheckComplete',
  ] as const;
  return names.reduce((bits, name, position) => bits | (platformInfo[name] ? 1 << position : 0), 0);
}

// biome-ignore lint/suspicious/noExplicitAny: facts of the manifest, compared as they are
function expectedSnp(facts: any): ReturnType<typeof factsOf> {
  const tcb = ({ hex: _hex, ...components }: SnpTcb & { hex: string }): SnpTcb => components;
  const { version, guestSvn, vmpl, familyId, imageId, reportData, measurement, hostData, idKeyDigest } = facts;
  return {
    version,
    guestSvn,
    vmpl,
    familyId,
    imageId,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest: facts.authorKeyDigest,
    reportId: facts.reportId,
    reportIdMa: facts.reportIdMa,
    chipId: facts.chipId,
    cpuid:
      facts.cpuid === undefined
        ? undefined
        : { family: Number(facts.cpuid.family), model: Number(facts.cpuid.model), stepping: facts.cpuid.stepping },
    tcb: {
      current: tcb(facts.currentTcb),
      committed: tcb(facts.committedTcb),
      reported: tcb(facts.reportedTcb),
      launch: tcb(facts.launchTcb),
    },
    firmware: { current: facts.currentVersion, committed: facts.committedVersion },
    mitigation:
      facts.launchMitVector === undefined
        ? undefined
        : { current: facts.currentMitVector, launch: facts.launchMitVector },
    signingKey: facts.signingKeyKind.toLowerCase(),
    abi: [facts.policy.abiMajor, facts.policy.abiMinor],
    policy: [
      facts.policy.smtAllowed,
      facts.policy.migrateMaAllowed,
      facts.policy.debugAllowed,
      facts.policy.singleSocketRequired,
    ],
    platformInfo: Number(facts.platformInfo),
    line: facts.product.split('-')[0],
  };
}
