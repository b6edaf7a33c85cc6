import { base64 } from '../core/bytes.js';
import type { HeldEndorsement, UsedEndorsement } from '../core/endorsement.js';
import type { Schemas } from './schema-check.js';

type Node = Schemas['ExplanationNode'];
type Kind = UsedEndorsement['kind'];

/** Name and purpose of each kind. Paths come first, each from the leaf to the root, then CRLs and collateral. */
const GROUPS: readonly { readonly text: string; readonly kinds: readonly (readonly [Kind, string, string])[] }[] = [
  {
    text: 'path from the SNP report to the root of AMD',
    kinds: [
      ['vcek', 'VCEK', "certifies the chip's key, which signs its reports"],
      ['vlek', 'VLEK', "certifies the cloud provider's key, which signs the reports of its chips"],
      ['ask', 'ASK', 'certifies the VCEK'],
      ['asvk', 'ASVK', 'certifies the VLEK'],
      ['ark', 'ARK', 'root of AMD, certifies the key below it and itself'],
    ],
  },
  {
    text: 'path from the TD quote to the root of Intel',
    kinds: [
      ['pck', 'PCK certificate', "certifies the platform's key, which signs the report of the quoting enclave"],
      ['pck-ca', 'PCK CA', 'certifies the key of the PCK certificate, and signs its CRL'],
      ['sgx-root', 'SGX root CA', 'root of Intel, certifies the PCK CA and itself'],
    ],
  },
  {
    text: 'path from the attestation key of the vTPM to its root',
    kinds: [
      ['ak', 'AK certificate', 'certifies the attestation key, which signs TPM quotes'],
      ['ak-ca', 'AK CA', 'certifies the certificate before it'],
    ],
  },
  { text: 'token keys', kinds: [['token-key', 'token key', 'verifies the signature of a token']] },
  { text: 'CRLs', kinds: [['crl', 'CRL', 'lists revoked certificates']] },
  {
    text: 'collateral of Intel',
    kinds: [
      ['tcb-signing', 'TCB signing certificate', 'certifies the key that signs TCB info and QE identity'],
      ['tcb-info', 'TCB info', 'says which TCB levels the platform can have, and their status'],
      ['qe-identity', 'QE identity', 'says which quoting enclave is genuine, and its status'],
    ],
  },
];

const REVOCATION: { readonly [state in UsedEndorsement['revocation']]: string | null } = {
  good: 'not revoked',
  revoked: 'revoked',
  unavailable: 'revocation unknown',
  not_applicable: null,
};

/**
 * Groups the endorsements of a decision for `explain=tree`: each path certificate by certificate, from the leaf to the root.
 * Each kind has a sentence about its purpose. The checks say whether a certificate is valid.
 */
export function endorsementGroups(endorsements: readonly UsedEndorsement[]): readonly Node[] {
  return GROUPS.flatMap(({ text, kinds }) => {
    const parts = kinds.flatMap(([kind, name, purpose]) =>
      endorsements.filter((used) => used.kind === kind).map((used) => usedNode(used, name, purpose)),
    );
    return parts.length === 0 ? [] : [{ text, parts }];
  });
}

/** Formats a single endorsement. */
export function presentEndorsement({ kind, sha256, value }: HeldEndorsement): Schemas['HeldEndorsement'] {
  return { kind, sha256, value: base64(value, 'base64url') };
}

function usedNode({ sha256, source, notAfter, revocation }: UsedEndorsement, name: string, purpose: string): Node {
  const validity = notAfter === null ? '' : `valid until ${notAfter.toISOString().replace('.000Z', 'Z')}, `;
  const state = REVOCATION[revocation];
  const known = state === null ? '' : `${state}, `;
  return { text: name, note: `${purpose}; from ${SOURCE[source]}, ${validity}${known}SHA-256 ${sha256}` };
}

const SOURCE: { readonly [source in UsedEndorsement['source']]: string } = {
  evidence: 'the evidence',
  cache: 'the cache',
  store: 'a file of the operator',
  network: 'the network',
  carried: 'the certificates that the service carries',
};
