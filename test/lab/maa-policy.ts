import { createHash } from 'node:crypto';

/** A policy that lets all pass that could be verified. */
export const MAA_DEFAULT_POLICY = 'version= 1.0;\nauthorizationrules\n{\n    => permit();\n};\nissuancerules\n{\n};\n';

/** `x-ms-policy-hash`: of the text as the policy is stored, which is in base64url. */
export function maaPolicyHash(policy: string): string {
  const stored = Buffer.from(policy, 'utf8').toString('base64url');
  return createHash('sha256').update(stored).digest('base64url');
}
