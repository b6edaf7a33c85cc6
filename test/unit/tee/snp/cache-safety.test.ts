import { describe, expect, it } from 'vitest';
import { type EndorsementSet, NO_ENDORSEMENTS } from '../../../../src/core/endorsement.js';
import type { SnpEvidence } from '../../../../src/core/evidence.js';
import type { Verification } from '../../../../src/core/verification.js';
import { hashed } from '../../../../src/crypto/digest.js';
import { AmdSnpReportVerifier } from '../../../../src/tee/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../../../src/tee/snp/snp-verifier.js';
import { AMD_SERIALS, createSnpGuest, type IssueCrlOptions } from '../../../lab/index.js';
import { AT, expectFailed, expectVerified, FOREIGN_PKI, idsWith, PKI, snpVerifier } from '../fixture.js';

/** The state that a verifier keeps between requests, and the checks that it makes all the same. Each test has a verifier of its own. */

const HOUR_MS = 60 * 60_000;
const SOON = new Date(AT.getTime() + HOUR_MS);
const secondAfter = (instant: Date) => new Date(instant.getTime() + 1000);
const secondBefore = (instant: Date) => new Date(instant.getTime() - 1000);

const crlOf = (options: Partial<IssueCrlOptions> = {}) => PKI.issueCrl({ product: 'Milan', ...options });
const milan = createSnpGuest({ pki: PKI });
const withCrls = (...crls: readonly Uint8Array[]) => milan.evidence({ endorsements: { crls } });

type Verifying = (evidence: SnpEvidence, at?: Date, endorsements?: EndorsementSet) => Promise<Verification>;

/** One verifier for several requests. */
function verifying(verifier = snpVerifier({ refuse: [] })): Verifying {
  return (evidence, at = AT, endorsements = NO_ENDORSEMENTS) =>
    verifier.open(evidence).verify({ at, endorsements, binding: null });
}

describe('a certificate that is known', () => {
  it('CRT-04 counts no longer one second past notAfter', async () => {
    const verify = verifying();
    const evidence = createSnpGuest({ pki: PKI, vcek: { overrides: { notAfter: SOON } } }).evidence();
    expectVerified(await verify(evidence));
    expectVerified(await verify(evidence, SOON));
    expectFailed(await verify(evidence, secondAfter(SOON)), 'cert_validity');
    expectVerified(await verify(evidence));
  });

  it('CRT-04 does not count one second before notBefore', async () => {
    const verify = verifying();
    const notBefore = new Date(AT.getTime() - HOUR_MS);
    const evidence = createSnpGuest({ pki: PKI, vcek: { overrides: { notBefore } } }).evidence();
    expectVerified(await verify(evidence));
    expectFailed(await verify(evidence, secondBefore(notBefore)), 'cert_validity');
  });

  it.each(['ASK', 'ARK'] as const)('CRT-04 counts no longer once the %s above it has ended', async (ended) => {
    const verify = verifying();
    const overrides = { notAfter: SOON };
    const ask = ended === 'ASK' ? PKI.issueIntermediate('Milan', 'vcek', overrides) : PKI.intermediate('Milan', 'vcek');
    const ark = ended === 'ARK' ? PKI.issueRoot('Milan', overrides) : PKI.ark('Milan');
    const evidence = milan.evidence({ endorsements: { chain: ask.pem + ark.pem } });
    expectVerified(await verify(evidence, SOON));
    expectFailed(await verify(evidence, secondAfter(SOON)), 'cert_validity');
  });

  it('vouches for no report that it did not sign', async () => {
    const verify = verifying();
    expectVerified(await verify(milan.evidence()));
    const afterSigning = (report: Uint8Array) => report.map((byte, index) => (index === 0x90 ? byte ^ 1 : byte));
    expectFailed(await verify(milan.evidence({ report: { afterSigning } })), 'snp_signature');
  });
});

describe('a CRL that is known', () => {
  it('SNP-27 is not judged by once it is past its nextUpdate', async () => {
    const verify = verifying();
    const evidence = withCrls(crlOf({ overrides: { nextUpdate: SOON } }));
    expectVerified(await verify(evidence));
    expectVerified(await verify(evidence, SOON));
    const found = await verify(evidence, secondAfter(SOON));
    expectFailed(found);
    expect(idsWith(found, 'unavailable')).toEqual(['crl_stale']);
  });

  it('SNP-27 is not judged by before its thisUpdate', async () => {
    const verify = verifying();
    const thisUpdate = new Date(AT.getTime() - HOUR_MS);
    const evidence = withCrls(crlOf({ overrides: { thisUpdate } }));
    expectVerified(await verify(evidence));
    expectFailed(await verify(evidence, secondBefore(thisUpdate)), 'crl_invalid');
  });

  it('SNP-27 gives way to a newer one that revokes, sent or held, although the path is known', async () => {
    const verify = verifying();
    const old = crlOf({ number: 1 });
    const revoking = crlOf({ number: 2, revoked: [{ serial: AMD_SERIALS.Milan.ask }] });
    const held = milan.platform.endorsementSet();
    const crls = new Map([['Milan', { value: hashed(revoking), origin: 'cache' }]] as const);
    const holding: EndorsementSet = { snp: held.snp === null ? null : { ...held.snp, crls } };
    expectVerified(await verify(withCrls(old)));
    expectFailed(await verify(withCrls(old, revoking)), 'cert_revoked');
    expectFailed(await verify(withCrls(old), AT, holding), 'cert_revoked');
  });

  it('SNP-27 revokes again and again', async () => {
    const verify = verifying();
    const evidence = withCrls(crlOf({ revoked: [{ serial: AMD_SERIALS.Milan.ask }] }));
    expectFailed(await verify(evidence), 'cert_revoked');
    expectFailed(await verify(evidence), 'cert_revoked');
  });

  it('SNP-27 speaks for no list that differs from it in its signature only', async () => {
    const verify = verifying();
    const crl = crlOf();
    expectVerified(await verify(withCrls(crl)));
    const changed = crl.map((byte, index) => (index === crl.length - 1 ? byte ^ 1 : byte));
    expectFailed(await verify(withCrls(changed)), 'crl_invalid');
    expectFailed(await verify(withCrls(changed)), 'crl_invalid');
    expectVerified(await verify(withCrls(crl)));
  });

  it('SNP-27 is genuine under the root that made it only, also where both roots are pinned', async () => {
    const pins = new Map([['Milan', new Set([...pinsOf(PKI), ...pinsOf(FOREIGN_PKI)])]] as const);
    const reports = new AmdSnpReportVerifier({ refuseProducts: new Set(), pins });
    const verify = verifying(new SnpVerifier(reports, new Map()));
    const foreign = createSnpGuest({ pki: FOREIGN_PKI });
    const crl = crlOf();
    expectVerified(await verify(withCrls(crl)));
    expectVerified(await verify(foreign.evidence()));
    expectFailed(await verify(foreign.evidence({ endorsements: { crls: [crl] } })), 'crl_invalid');
  });
});

function pinsOf(pki: typeof PKI): readonly string[] {
  return [...(pki.pins(['Milan']).get('Milan') ?? [])];
}
