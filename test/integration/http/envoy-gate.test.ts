import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readProjectFile } from '../../architecture/project-files.js';
import { exchange } from './exchange.js';
import { fakeServices, KNOWN_DECISION, KNOWN_RECEIPT } from './fake-service.js';

/** Envoy is not here to be run, so the fields that keep the gate closed are looked at one by one. */

// biome-ignore lint/suspicious/noExplicitAny: a document of somebody else's schema
type Any = any;

const CONFIGURATION: Any = parse(readProjectFile('deploy/gates/envoy/envoy.yaml'));
const [LISTENER] = CONFIGURATION.static_resources.listeners;
const MANAGER: Any = LISTENER.filter_chains[0].filters[0].typed_config;
const FILTERS: readonly Any[] = MANAGER.http_filters;
const TYPES = 'type.googleapis.com/envoy.extensions.filters';

const filter = (name: string) => FILTERS.find((one) => one.name === `envoy.filters.http.${name}`).typed_config;
const OF_THE_GATE = ['x-veritee-decision-id', 'x-veritee-expires'];
const exact = (names: readonly string[]) => ({ patterns: names.map((name) => ({ exact: name })) });

const start = fakeServices();

describe('deploy/gates/envoy/envoy.yaml', () => {
  it('has the filters in the order in which they hold, each of the type of its name', () => {
    expect(MANAGER['@type']).toBe(`${TYPES}.network.http_connection_manager.v3.HttpConnectionManager`);
    expect(FILTERS.map((one) => [one.name, one.typed_config['@type']])).toEqual([
      ['envoy.filters.http.header_mutation', `${TYPES}.http.header_mutation.v3.HeaderMutation`],
      ['envoy.filters.http.ext_authz', `${TYPES}.http.ext_authz.v3.ExtAuthz`],
      ['envoy.filters.http.rbac', `${TYPES}.http.rbac.v3.RBAC`],
      ['envoy.filters.http.router', `${TYPES}.http.router.v3.Router`],
    ]);
  });

  it('GAT-01 lets nobody through where the service does not answer, or not in time', () => {
    const { failure_mode_allow, transport_api_version, http_service, ...rest } = filter('ext_authz');
    expect([failure_mode_allow, transport_api_version]).toEqual([false, 'V3']);
    expect(Object.keys(rest).sort()).toEqual(['@type', 'allowed_headers', 'status_on_error']);
    expect(rest.status_on_error).toEqual({ code: 'Forbidden' });
    expect(http_service.server_uri).toEqual({ uri: 'http://127.0.0.1:8080', cluster: 'veritee', timeout: '2s' });
  });

  it('takes what the gate says off what the client sent, and demands it of the gate', () => {
    expect(filter('header_mutation').mutations.request_mutations).toEqual(OF_THE_GATE.map((remove) => ({ remove })));
    const { authorization_response } = filter('ext_authz').http_service;
    expect(authorization_response.allowed_upstream_headers).toEqual(exact(OF_THE_GATE));
    const { action, policies } = filter('rbac').rules;
    expect([action, Object.keys(policies)]).toEqual(['ALLOW', ['decided']]);
    const [{ header }, ...others] = policies.decided.principals;
    expect([header.name, others]).toEqual(['x-veritee-decision-id', []]);
    // Envoy compares the whole value.
    const { regex } = header.string_match.safe_regex;
    expect(KNOWN_DECISION).toMatch(new RegExp(`^(?:${regex})$`));
    expect('').not.toMatch(new RegExp(`^(?:${regex})$`));
  });

  it('takes no header that an application could read as one of the gate', () => {
    const { common_http_protocol_options: options } = MANAGER;
    expect(options.headers_with_underscores_action).toBe('REJECT_REQUEST');
  });

  it('passes receipt and proof to the gate, and not to the application', () => {
    const secrets = ['x-veritee-receipt', 'dpop'];
    expect(filter('ext_authz').allowed_headers).toEqual(exact([...secrets, 'x-forwarded-for']));
    // The last address of it is the one that Envoy saw.
    expect(MANAGER.use_remote_address).toBe(true);
    expect(MANAGER.route_config.request_headers_to_remove).toEqual(secrets);
  });

  it('has one reading of a path, and no route without the filters', () => {
    expect(MANAGER).toMatchObject({
      normalize_path: true,
      merge_slashes: true,
      path_with_escaped_slashes_action: 'REJECT_REQUEST',
    });
    expect(JSON.stringify(CONFIGURATION)).not.toMatch(/typed_per_filter_config|filter_enabled|disabled/);
    const clusters = CONFIGURATION.static_resources.clusters.map(({ name }: Any) => name);
    expect(clusters).toEqual(['veritee', 'application']);
  });

  it.each([
    [KNOWN_RECEIPT, 200],
    ['another.known.receipt', 403],
  ])('asks in a way that the gate answers: %s', async (receipt, status) => {
    const service = await start();
    const { path_prefix: prefix } = filter('ext_authz').http_service;
    const received = await exchange(
      service.port,
      `POST ${prefix}/orders/1?q=1 HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\nX-Veritee-Receipt: ${receipt}\r\nConnection: close\r\n\r\n`,
    );
    expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(service.gates.asked).toMatchObject([{ gate: 'web', method: 'POST', path: '/orders/1' }]);
  });
});
