import { describe, it } from 'vitest';
import type { TdxCollateral } from '../../../../src/core/evidence.js';
import { flipBit } from '../../../lab/byte-patch.js';
import type { CollateralOptions } from '../../../lab/collateral-builder.js';
import type { TdxPlatform } from '../../../lab/tdx-platform.js';
import {
  AT,
  endorsing,
  expectFailed,
  expectUndecided,
  expectVerified,
  FOREIGN_PKI,
  HOUR_MS,
  type Judging,
  newVerifier,
  PKI,
  PLATFORM,
  platformOf,
  verify,
} from './fixture.js';

/** The state that a verifier keeps between requests, and the checks that it makes all the same. Each test has a verifier of its own. */

const SOON = new Date(AT.getTime() + HOUR_MS);
const AFTER = new Date(SOON.getTime() + 1000);
const QUOTE = PLATFORM.quote();

/** One verifier for several requests, and one object of collateral where nothing else is said. */
function verifying(collateral: TdxCollateral = PLATFORM.collateral()) {
  const verifier = newVerifier();
  const endorsements = endorsing(collateral);
  return (judging: Judging = {}) => verify({ verifier, quote: QUOTE, endorsements, ...judging });
}

const soonStale: readonly (readonly [string, CollateralOptions])[] = [
  ['TCB info', { tcbInfo: { nextUpdate: SOON } }],
  ['QE identity', { qeIdentity: { nextUpdate: SOON } }],
  ['PCK list', { pckCrl: { overrides: { nextUpdate: SOON } } }],
  ['root list', { rootCrl: { overrides: { nextUpdate: SOON } } }],
];

describe('collateral that is known', () => {
  it.each(soonStale)('TDX-10 counts no longer once the %s is past its next update', async (_, making) => {
    const again = verifying(PLATFORM.collateral(making));
    expectVerified(await again());
    expectVerified(await again({ at: SOON }));
    expectUndecided(await again({ at: AFTER }), 'collateral_stale');
    expectVerified(await again());
  });

  it('TDX-10 does not count before its issue', async () => {
    const issueDate = new Date(AT.getTime() - HOUR_MS);
    const again = verifying(PLATFORM.collateral({ tcbInfo: { issueDate } }));
    expectVerified(await again());
    expectFailed(await again({ at: new Date(issueDate.getTime() - 1000) }), 'collateral_not_yet');
  });

  it('CRT-04 counts no longer once its signer has ended', async () => {
    const tcbSigning = PKI.issueTcbSigning({ notAfter: SOON });
    const again = verifying(PLATFORM.collateral({ tcbSigning }));
    expectVerified(await again({ at: SOON }));
    expectFailed(await again({ at: AFTER }), 'cert_validity');
  });

  it('TDX-09 vouches for no other that differs in one bit', async () => {
    const genuine = PLATFORM.collateral();
    const again = verifying(genuine);
    expectVerified(await again());
    const changed = { ...genuine, tcbInfoSignature: flipBit(genuine.tcbInfoSignature, 5) };
    expectFailed(await again({ endorsements: endorsing(changed) }), 'tdx_tcb_info');
    const moved = { ...genuine, tcbInfo: `${genuine.tcbInfo} ` };
    expectFailed(await again({ endorsements: endorsing(moved) }), 'tdx_tcb_info');
    expectVerified(await again({ endorsements: endorsing({ ...genuine }) }));
  });

  it('TDX-09 is of its own platform only', async () => {
    const again = verifying();
    expectVerified(await again());
    const other = platformOf({ fmspc: 'b0c06f000000' });
    expectFailed(await again({ quote: other.quote() }), 'tdx_tcb_info');
  });

  it('TDX-21 gives way to a newer list that revokes, although path and QE report are known', async () => {
    const again = verifying();
    expectVerified(await again());
    const revoking = PLATFORM.collateral({ pckCrl: { revoked: [{ serial: PLATFORM.pck.serial }], number: 2 } });
    expectFailed(await again({ endorsements: endorsing(revoking) }), 'cert_revoked');
    expectFailed(await again({ endorsements: endorsing(revoking) }), 'cert_revoked');
    expectVerified(await again());
  });

  it('TDX-12 gives way to TCB info that calls the platform revoked', async () => {
    const again = verifying();
    expectVerified(await again());
    const revoked = PLATFORM.collateral({ tcbInfo: { status: 'Revoked' }, evaluationNumber: 20 });
    expectFailed(await again({ endorsements: endorsing(revoked) }), 'tdx_tcb_status');
  });

  it('TDX-08 gives way to an identity that revokes the quoting enclave', async () => {
    const again = verifying();
    expectVerified(await again());
    const revoked = PLATFORM.collateral({ qeIdentity: { status: 'Revoked' } });
    expectFailed(await again({ endorsements: endorsing(revoked) }), 'tdx_qe_svn');
  });
});

describe('a PCK certificate and a QE report that are known', () => {
  const ending = platformOf({ pck: { overrides: { notAfter: SOON } } });
  const of = (platform: TdxPlatform) => ({ quote: platform.quote(), endorsements: endorsing(platform.collateral()) });

  it('CRT-04 count no longer one second past notAfter', async () => {
    const again = verifying();
    expectVerified(await again({ ...of(ending), at: SOON }));
    expectFailed(await again({ ...of(ending), at: AFTER }), 'cert_validity');
    expectVerified(await again(of(ending)));
  });

  it('TDX-05 vouch for no other signature, and for no other key', async () => {
    const again = verifying();
    expectVerified(await again());
    const quote = PLATFORM.quote({ qeReportSignature: (genuine) => flipBit(genuine, 1) });
    expectFailed(await again({ quote }), 'tdx_qe_report_signature');
    const other = platformOf();
    const foreign = PLATFORM.quote({ pckChain: other.pck.chainPem });
    expectFailed(await again({ quote: foreign }), 'tdx_qe_report_signature');
  });

  it('TDX-05 are not known for having been refused: what does not hold is refused again', async () => {
    const again = verifying();
    const quote = PLATFORM.quote({ qeReportSignature: (genuine) => flipBit(genuine, 1) });
    for (const _ of [1, 2]) expectFailed(await again({ quote }), 'tdx_qe_report_signature');
    const foreign = platformOf({ pki: FOREIGN_PKI });
    for (const _ of [1, 2]) expectFailed(await again({ quote: foreign.quote() }), 'cert_untrusted');
    const unsigned = { ...PLATFORM.collateral(), tcbInfoSignature: new Uint8Array(64) };
    for (const _ of [1, 2]) expectFailed(await again({ endorsements: endorsing(unsigned) }), 'tdx_tcb_info');
  });

  it('TDX-05 vouch for no quote that their attestation key did not sign', async () => {
    const again = verifying();
    expectVerified(await again());
    const signedPart = (bytes: Uint8Array) => flipBit(bytes, 200);
    expectFailed(await again({ quote: PLATFORM.quote({ signedPart }) }), 'tdx_signature');
  });
});
