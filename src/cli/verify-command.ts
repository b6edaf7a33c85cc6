import type { Caller } from '../model/caller.js';
import type { Decision } from '../model/decision.js';
import type { VerifyEvidenceUseCase } from '../service/use-cases.js';
import { presentDecision } from '../wire/present-decision.js';
import { readVerifyRequest } from '../wire/read-verify-request.js';
import type { RequestLimits } from '../wire/request-limits.js';
import { overrideRequest, type RequestOverrides } from '../wire/request-overrides.js';
import { decisionTable } from './decision-table.js';
import { exitCodeOf } from './exit-code.js';
import type { Output } from './output.js';

/** Whoever runs the command line owns what it reads: no role and no name is kept from them. */
const COMMAND_LINE_CALLER: Caller = {
  principal: 'command-line',
  tenant: 'default',
  roles: new Set(['verify', 'policy:read', 'audit:read']),
  policies: null,
  audiences: null,
};

/**
 * Judges a /verify body.
 * @returns the exit code
 * @throws {FormatError} where the body is malformed, or names an instant that the command line does not
 */
export async function verifyCommand(
  body: Uint8Array,
  overrides: RequestOverrides,
  verifyEvidence: VerifyEvidenceUseCase,
  output: Output,
  limits?: RequestLimits,
): Promise<number> {
  const request = overrideRequest(readVerifyRequest(body, limits), overrides);
  const decision: Decision = await verifyEvidence.execute(request, COMMAND_LINE_CALLER);
  if (output.asTable) output.write(decisionTable(decision));
  else output.write(`${JSON.stringify(presentDecision(decision, { allChecks: true }), null, 2)}\n`);
  return exitCodeOf(decision.decision);
}
