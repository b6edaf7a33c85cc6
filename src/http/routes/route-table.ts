import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify';
import { stringify } from 'yaml';
import type { LivenessUseCase, ReadinessUseCase } from '../../service/clock-watch.js';
import { OPENAPI_DOCUMENT } from '../../wire/generated/openapi-document.js';
import { requestLimits } from '../../wire/read-body.js';
import type { HttpDependencies } from '../dependencies.js';
import { JSON_TYPE } from '../json-bodies.js';
import { DEFAULT_SLOTS, VerificationSlots } from '../load-limits.js';
import type { Metrics } from '../metrics.js';
import { challengesRoute, inspectRoute, verifyRoute } from './evidence-routes.js';
import { evaluateRoute, lintRoute, policiesRoutes } from './policy-routes.js';

/** Every route of the service. Each says in its `config.access` who may use it. */
export async function registerRoutes(application: FastifyInstance, dependencies: HttpDependencies): Promise<void> {
  const { verifyEvidence, issueChallenge, inspectEvidence, policyTexts, evaluatePolicy } = dependencies;
  const { liveness, readiness, metrics, settings } = dependencies;
  const slots = new VerificationSlots({ ...DEFAULT_SLOTS, ...settings.slots });
  const limits = requestLimits(settings.eventLogBytes);
  const routes = [
    verifyRoute({ verifyEvidence, slots, metrics, limits }),
    challengesRoute(issueChallenge),
    inspectRoute(inspectEvidence, limits),
    ...policiesRoutes(policyTexts),
    lintRoute(policyTexts),
    evaluateRoute({ evaluatePolicy, slots, limits }),
    livezRoute(liveness),
    readyzRoute(readiness),
    metricsRoute(metrics),
    openapiRoute(),
  ];
  for (const route of routes) application.route(route);
  await application.register(docsRoutes);
}

/** `GET /openapi.json`: the contract. */
function openapiRoute(): RouteOptions {
  const text = JSON.stringify(OPENAPI_DOCUMENT);
  return {
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'public' },
    handler: (_request, reply) => reply.type(JSON_TYPE).send(text),
  };
}

/**
 * The page asks for the document of a plugin that derives one from the schemas of routes. Ours is written by hand and
 * comes first; under that plugin's name it is what the page shows.
 */
const documentSource: FastifyPluginAsync = Object.assign(
  async (scope: FastifyInstance) => {
    scope.decorate('swagger', (options?: { readonly yaml?: boolean }) =>
      options?.yaml === true ? stringify(OPENAPI_DOCUMENT) : OPENAPI_DOCUMENT,
    );
  },
  { [Symbol.for('skip-override')]: true, [Symbol.for('plugin-meta')]: { name: '@fastify/swagger' } },
);

/** For pages: scripts, styles and data of this service only. Pictures may be inline; styles are set by the page's script. */
const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `GET /docs`: the contract as a page for people. Everything that it loads comes from this service. */
const docsRoutes: FastifyPluginAsync = async (scope) => {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' };
  });
  await scope.register(documentSource);
  await scope.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_SECURITY_POLICY,
    uiConfig: { tryItOutEnabled: false, validatorUrl: null },
  });
};

const RETRY_SECONDS = 5;

/** Load balancers and schedulers ask these two, so load shedding never refuses them. */
const PROBE = {
  method: 'GET',
  config: { access: 'public', rateLimit: false, pressureHandler: () => undefined },
} as const;

/** `GET /livez`: whether the process works, or has to be restarted. */
function livezRoute(liveness: LivenessUseCase): RouteOptions {
  return {
    ...PROBE,
    url: '/livez',
    handler: async (_request, reply) => {
      const { live, problems } = await liveness.execute();
      return live ? reply.send({ live }) : reply.code(503).send({ live, problems });
    },
  };
}

/** `GET /readyz`: whether the service should get traffic, and if not, why. */
function readyzRoute(readiness: ReadinessUseCase): RouteOptions {
  return {
    ...PROBE,
    url: '/readyz',
    handler: async (_request, reply) => {
      const { ready, problems } = await readiness.execute();
      if (!ready) reply.code(503).header('retry-after', RETRY_SECONDS);
      return reply.send({ ready, problems });
    },
  };
}

/** `GET /metrics`: figures in the text format of Prometheus. They are wanted most when there is too much load. */
function metricsRoute(metrics: Metrics): RouteOptions {
  return {
    method: 'GET',
    url: '/metrics',
    config: { access: 'metrics', pressureHandler: () => undefined },
    handler: async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  };
}
