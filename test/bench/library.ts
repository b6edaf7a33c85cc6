import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jwkThumbprint } from '../../src/crypto/jwk-thumbprint.js';
import { parseKeySet } from '../../src/formats/json-web-key-set.js';
import type { Caller } from '../../src/model/caller.js';
import type { EndorsementSet } from '../../src/model/endorsement.js';
import type { VerifyRequest } from '../../src/model/request.js';
import type { EvidenceVerifier } from '../../src/model/verification.js';
import { BUILT_IN_POLICIES } from '../../src/policy/built-in-policies.js';
import { parsePolicy } from '../../src/policy/policy-document.js';
import { AttestationRoutes } from '../../src/service/attestation-routes.js';
import { VerifyEvidence } from '../../src/service/verify-evidence.js';
import { parseCollateralFile } from '../../src/vendors/intel/collateral-file.js';
import { AzSnpVtpmVerifier } from '../../src/verifiers/azure-cvm/az-snp-vtpm-verifier.js';
import { KNOWN_PARAVISORS } from '../../src/verifiers/azure-cvm/known-paravisors.js';
import type { MaaIssuer } from '../../src/verifiers/maa/issuer-policy.js';
import { MaaTokenVerifier } from '../../src/verifiers/maa/maa-token-verifier.js';
import { AmdSnpReportVerifier } from '../../src/verifiers/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../src/verifiers/snp/snp-verifier.js';
import { DcapTdQuoteVerifier } from '../../src/verifiers/tdx/td-quote-verifier.js';
import { TdxVerifier } from '../../src/verifiers/tdx/tdx-verifier.js';
import { RsaTpmQuoteVerifier } from '../../src/verifiers/tpm/tpm-quote-verifier.js';
import { readVerifyRequest } from '../../src/wire/read-verify-request.js';
import type { Verify } from './primitives.js';
import type { BenchEvidence, Material } from './protocol.js';

const CALLER: Caller = {
  principal: 'bench',
  tenant: 'default',
  roles: new Set(['verify']),
  policies: null,
  audiences: null,
};
const SILENT = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

/** The use case without its shell: requests are read and policies parsed, endorsements at hand, no store of nonces. */
export async function library(material: Material): Promise<(type: BenchEvidence) => Verify> {
  const useCase = await verifyEvidence(material);
  return (type) => {
    const requests = material.bodies[type].map((body) => readVerifyRequest(Buffer.from(body)));
    let turn = 0;
    return async () => {
      const request = requests[turn++ % requests.length] as VerifyRequest;
      const { decision, reasons } = await useCase.execute(unseen(request), CALLER);
      if (decision !== 'allow') throw new Error(`${type} in the library: ${decision} ${reasons.join()}`);
    };
  };
}

/** With bytes of its own, so that the quote is read as if it had just come in: what is read of bytes is kept with them. */
function unseen(request: VerifyRequest): VerifyRequest {
  const { evidence } = request;
  return evidence.type === 'tdx'
    ? { ...request, evidence: { ...evidence, quote: Uint8Array.from(evidence.quote) } }
    : request;
}

async function verifyEvidence(material: Material): Promise<VerifyEvidence> {
  const own = await Promise.all(
    ['snp', 'tdx'].map(async (id) => parsePolicy(await readFile(join(material.folder, `policies/${id}.yaml`), 'utf8'))),
  );
  const policies = new Map([...own, ...BUILT_IN_POLICIES].map((policy) => [policy.id, policy]));
  const found = endorsementSet(material);
  const endorsements = { fetch: async () => found };
  return new VerifyEvidence(
    {
      verifiers: verifiers(material),
      endorsements,
      attestationRoutes: new AttestationRoutes(new Map(), new Map(), endorsements),
      keyThumbprint: jwkThumbprint,
      policies: () => policies,
      nonces: { standing: async () => ({ origin: 'caller' }) },
      clock: { now: () => new Date(), monotonicMs: () => performance.now(), doubt: () => null },
      log: SILENT,
      newId: () => randomUUID(),
    },
    { defaultPolicy: 'snp', historical: false, deadlineMs: 5_000, lifetimeMs: 300_000, consumesChallenges: true },
  );
}

/** As `limits.eventLogBytes` where nothing is configured. */
const EVENT_LOG_BYTES = 2 ** 20;

const NO_AK_ROOTS = { azure: new Set<string>(), configured: new Set<string>(), paravisorsSince: null };

function verifiers({ pins, intel, issuer }: Material): ReadonlyMap<string, EvidenceVerifier> {
  const reports = new AmdSnpReportVerifier({
    refuseProducts: new Set(),
    pins: new Map(pins.map(([product, digests]) => [product, new Set(digests)])),
  });
  const all: readonly EvidenceVerifier[] = [
    new SnpVerifier(reports, KNOWN_PARAVISORS) as EvidenceVerifier,
    new AzSnpVtpmVerifier(reports, new RsaTpmQuoteVerifier(), KNOWN_PARAVISORS, NO_AK_ROOTS) as EvidenceVerifier,
    new TdxVerifier(
      new DcapTdQuoteVerifier({ pins: new Set(intel.pins) }),
      new Set(),
      EVENT_LOG_BYTES,
    ) as EvidenceVerifier,
    new MaaTokenVerifier(
      { issuers: new Map([[issuer, ofIssuer(issuer)]]), leewaySeconds: 60 },
      reports,
    ) as EvidenceVerifier,
  ];
  return new Map(all.map((verifier) => [verifier.evidenceType, verifier]));
}

function ofIssuer(issuer: string): MaaIssuer {
  return { issuer, policyHashes: 'any', policySigners: null, teeSigner: 'any' };
}

function endorsementSet({ keySet, product, chain: [intermediate, root], crl, intel }: Material): EndorsementSet {
  const origin = 'store';
  const chain = [Buffer.from(intermediate, 'base64'), Buffer.from(root, 'base64')] as const;
  return {
    tokenKeys: { value: { ...parseKeySet(Buffer.from(keySet)), crls: [] }, origin },
    tdx: { value: parseCollateralFile(Buffer.from(intel.collateral)), origin },
    snp: {
      vek: null,
      chains: new Map([[product, { value: chain, origin }]]),
      chainProblem: null,
      crls: new Map([[product, { value: Buffer.from(crl, 'base64'), origin }]]),
      otherCrls: new Map(),
      crlProblems: new Map(),
    },
  };
}
