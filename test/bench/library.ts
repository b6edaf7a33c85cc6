import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '../../src/model/caller.js';
import type { EndorsementSet } from '../../src/model/endorsement.js';
import type { EvidenceType } from '../../src/model/evidence.js';
import type { VerifyRequest } from '../../src/model/request.js';
import type { EvidenceVerifier } from '../../src/model/verification.js';
import { BUILT_IN_POLICIES } from '../../src/policy/built-in-policies.js';
import { parsePolicy } from '../../src/policy/policy-document.js';
import { VerifyEvidence } from '../../src/service/verify-evidence.js';
import { AzSnpVtpmVerifier } from '../../src/verifiers/azure-cvm/az-snp-vtpm-verifier.js';
import { KNOWN_PARAVISOR_ID_KEY_DIGESTS } from '../../src/verifiers/azure-cvm/known-paravisors.js';
import { AmdSnpReportVerifier } from '../../src/verifiers/snp/snp-report-verifier.js';
import { SnpVerifier } from '../../src/verifiers/snp/snp-verifier.js';
import { RsaTpmQuoteVerifier } from '../../src/verifiers/tpm/tpm-quote-verifier.js';
import { readVerifyRequest } from '../../src/wire/read-verify-request.js';
import type { Verify } from './primitives.js';
import type { Material } from './protocol.js';

const CALLER: Caller = {
  principal: 'bench',
  tenant: 'default',
  roles: new Set(['verify']),
  policies: null,
  audiences: null,
};
const SILENT = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };

/** The use case without its shell: requests are read and policies parsed, endorsements at hand, no store of nonces. */
export async function library(material: Material): Promise<(type: EvidenceType) => Verify> {
  const useCase = await verifyEvidence(material);
  return (type) => {
    const requests = material.bodies[type].map((body) => readVerifyRequest(Buffer.from(body)));
    let turn = 0;
    return async () => {
      const request = requests[turn++ % requests.length] as VerifyRequest;
      const { decision, reasons } = await useCase.execute(request, CALLER);
      if (decision !== 'allow') throw new Error(`${type} in the library: ${decision} ${reasons.join()}`);
    };
  };
}

async function verifyEvidence(material: Material): Promise<VerifyEvidence> {
  const own = parsePolicy(await readFile(join(material.folder, 'policies/snp.yaml'), 'utf8'));
  const policies = new Map([own, ...BUILT_IN_POLICIES].map((policy) => [policy.id, policy]));
  const found = endorsementSet(material);
  return new VerifyEvidence(
    {
      verifiers: verifiers(material),
      endorsements: { fetch: async () => found },
      policies: () => policies,
      nonces: { standing: async () => ({ origin: 'caller' }) },
      clock: { now: () => new Date(), monotonicMs: () => performance.now() },
      log: SILENT,
      newId: () => randomUUID(),
    },
    { defaultPolicy: 'snp', historical: false, deadlineMs: 5_000, lifetimeMs: 300_000, consumesChallenges: true },
  );
}

function verifiers({ pins }: Material): ReadonlyMap<string, EvidenceVerifier> {
  const known = new Set(KNOWN_PARAVISOR_ID_KEY_DIGESTS);
  const reports = new AmdSnpReportVerifier({
    refuseProducts: new Set(),
    pins: new Map(pins.map(([product, digests]) => [product, new Set(digests)])),
  });
  const all: readonly EvidenceVerifier[] = [
    new SnpVerifier(reports, known) as EvidenceVerifier,
    new AzSnpVtpmVerifier(reports, new RsaTpmQuoteVerifier(), known) as EvidenceVerifier,
  ];
  return new Map(all.map((verifier) => [verifier.evidenceType, verifier]));
}

function endorsementSet({ product, chain: [intermediate, root], crl }: Material): EndorsementSet {
  const origin = 'store';
  const chain = [Buffer.from(intermediate, 'base64'), Buffer.from(root, 'base64')] as const;
  return {
    snp: {
      vek: null,
      chains: new Map([[product, { value: chain, origin }]]),
      chainProblem: null,
      crls: new Map([[product, { value: Buffer.from(crl, 'base64'), origin }]]),
      crlProblems: new Map(),
    },
  };
}
