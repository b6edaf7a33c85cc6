import type { FastifyRequest, RouteOptions } from 'fastify';
import type { VerificationSlots } from '../../judge/verification-slots.js';
import { presentEvaluation } from '../../wire/present-evaluation.js';
import type { RequestLimits } from '../../wire/read-body.js';
import { readEvaluationRequest, readLintRequest } from '../../wire/read-policy-requests.js';
import type { EvaluatePolicyUseCase } from '../../workbench/evaluate-policy.js';
import type { PolicyTextsUseCase } from '../../workbench/policy-texts.js';
import { callerOf } from '../access.js';
import { bodyOf, JSON_CALL, JSON_TYPE } from '../json-bodies.js';
import { requireNoParameters } from '../queries.js';

const POLICY_CALL = {
  method: 'GET',
  config: { access: 'policy:read' },
  onRequest: async (request: FastifyRequest) => requireNoParameters(request),
} as const;

/** `GET /policies` and `GET /policies/{id}`: the policies in use, with their texts. No call writes a policy. */
export function policiesRoutes(policyTexts: PolicyTextsUseCase): readonly RouteOptions[] {
  return [
    {
      ...POLICY_CALL,
      url: '/policies',
      handler: async (request, reply) => reply.send({ policies: policyTexts.list(callerOf(request)) }),
    },
    {
      ...POLICY_CALL,
      url: '/policies/:id',
      handler: async (request, reply) => {
        const { id } = request.params as { readonly id: string };
        return reply.send(policyTexts.get(id, callerOf(request)));
      },
    },
  ];
}

/** `POST /policies:lint`: reports the faults of a policy text. It takes the slot of a verification. */
export function lintRoute(policyTexts: PolicyTextsUseCase, slots: VerificationSlots): RouteOptions {
  return {
    ...JSON_CALL,
    // A colon begins a parameter; two colons stand for one.
    url: '/policies::lint',
    handler: async (request, reply) => {
      const { text } = readLintRequest(bodyOf(request));
      const problems = await slots.run(request.sharer, async () => policyTexts.lint(text));
      return reply.type(JSON_TYPE).send(JSON.stringify({ problems }));
    },
  };
}

interface EvaluateRouteDependencies {
  readonly evaluatePolicy: EvaluatePolicyUseCase;
  readonly slots: VerificationSlots;
  readonly limits: RequestLimits;
}

/** `POST /policies:evaluate`: evaluates a policy text on claims or evidence. It takes the slot of a verification. */
export function evaluateRoute({ evaluatePolicy, slots, limits }: EvaluateRouteDependencies): RouteOptions {
  return {
    ...JSON_CALL,
    url: '/policies::evaluate',
    handler: async (request, reply) => {
      const evaluation = await slots.run(request.sharer, (slot) =>
        evaluatePolicy.execute(readEvaluationRequest(bodyOf(request), limits), callerOf(request), slot),
      );
      return reply.type(JSON_TYPE).send(JSON.stringify(presentEvaluation(evaluation)));
    },
  };
}
