import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/core/errors.js';
import type { Evidence } from '../../../src/core/evidence.js';
import { judge, verifiersOf } from '../../judge.js';
import { azSnpEvidenceOf, nonceOf, realChains, snpEvidenceOf } from '../../real-evidence.js';
import { applyRecipe, haveVectors, type Recipe, recipes, vector } from '../../vectors.js';

/** Everything that is not about being genuine is left open: what is denied here is denied by the mutation. */
const LENIENT = `{ apiVersion: veritee/v1, id: lenient, version: 1, accepts: [snp, az-snp-vtpm], minimums: { snp: any },
  freshness: none, revocation: best-effort, allowDebug: true, paravisor: any }`;

const PARSE = ['snp_format', 'snp_reserved', 'snp_policy'];

/** Codes that are right for each reason of the recipes (codes of the contract). */
const CODES: ReadonlyMap<string, readonly string[]> = new Map([
  ['snp-parse', PARSE],
  ['snp-signature', ['snp_signature', ...PARSE]],
  ['snp-chain', ['cert_untrusted', 'cert_signature', 'cert_format']],
  ['snp-tcb-mismatch', ['snp_tcb_cert']],
  ['snp-chip-id-mismatch', ['snp_chip_id']],
  ['snp-key-kind', ['snp_key_kind']],
  ['hcl-parse', ['hcl_format', 'hcl_hash_type']],
  ['hcl-binding', ['hcl_binding', 'hcl_format']],
  ['tpm-parse', ['tpm_magic', 'tpm_not_quote', 'tpm_format']],
  ['tpm-signature', ['tpm_signature']],
  ['tpm-nonce', ['nonce_mismatch']],
  ['tpm-pcr-digest', ['tpm_pcr_digest', 'tpm_pcr_selection', 'tpm_format']],
  ['cert-validity', ['cert_validity']],
]);

async function codesOf(recipe: Recipe): Promise<readonly string[]> {
  const base = vector(recipe.base);
  const read = (file: string) => applyRecipe(recipe, file);
  const evidence: Evidence = base.family === 'snp' ? snpEvidenceOf(base, read) : azSnpEvidenceOf(base, read);
  try {
    const decision = await judge(evidence, base.family === 'snp' ? {} : { nonce: nonceOf(base) }, {
      verifiers: verifiersOf(),
      endorsements: realChains(recipe.base.includes('vlek') ? 'vlek' : 'vcek'),
      at: new Date((recipe.op === 'clock' ? recipe.verifyAt : base.verifyAt) ?? ''),
      policies: [LENIENT],
    });
    expect(decision.decision).not.toBe('allow');
    return decision.reasons;
  } catch (error) {
    if (error instanceof FormatError) return [error.code];
    throw error;
  }
}

describe.skipIf(!haveVectors)('mutations of real evidence are refused, for their reason', () => {
  it.each(haveVectors ? recipes('snp', 'az-snp-vtpm') : [])('$id $base: $field', async (recipe) => {
    const codes = await codesOf(recipe);
    const right = [recipe.expectedReason, ...recipe.alsoFails].flatMap((reason) => CODES.get(reason) ?? []);
    expect(right.length).toBeGreaterThan(0);
    expect(
      codes.filter((code) => right.includes(code)),
      `${codes.join()} for ${recipe.expectedReason}`,
    ).not.toEqual([]);
    expect(codes).not.toContain('internal_error');
  });
});
