import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.js';
import { ConfigurationError } from '../../../src/core/errors.js';

const TLS = { cert: 'cert.pem', key: 'key.pem', clientCa: 'ca.pem' };
const DIGEST = 'AB'.repeat(32);

const load = (callers: Readonly<Record<string, object>>, tls: object = TLS) =>
  loadConfiguration({
    text: JSON.stringify({
      listen: { tls },
      callers: Object.fromEntries(Object.entries(callers).map(([name, mtls]) => [name, { mtls, roles: ['verify'] }])),
    }),
    environment: {},
  });

function problems(callers: Readonly<Record<string, object>>, tls: object = TLS): readonly string[] {
  try {
    load(callers, tls);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems.map((text) => text.replace(/^.*?line \d+: /, ''));
    throw error;
  }
}

describe('a caller with a client certificate', () => {
  it.each([
    [{ uri: 'spiffe://example.org/ns/gates/sa/release' }, 'spiffe://example.org/ns/gates/sa/release'],
    [{ dns: 'Gate.Example.org' }, 'gate.example.org'],
    [{ spkiSha256: DIGEST }, DIGEST.toLowerCase()],
  ])('may be recognised by %j', (mtls, value) => {
    const read = load({ mesh: mtls }).callers['mesh']?.mtls;
    const [member] = Object.keys(mtls);
    expect(read).toEqual({ uri: null, dns: null, spkiSha256: null, [member as string]: value });
  });

  const ONE = 'callers.mesh.mtls: needs one of uri, dns and spkiSha256';

  it.each<[object, string]>([
    [{}, ONE],
    [{ uri: 'spiffe://a/b', dns: 'a.example' }, ONE],
    [{ subject: 'CN=a' }, 'callers.mesh.mtls.subject: unknown key; there are uri, dns, spkiSha256'],
    [{ uri: 'spiffe://a/*' }, 'callers.mesh.mtls.uri: must be a URI without * and blanks'],
    [{ uri: 'spiffe://a/b c' }, 'callers.mesh.mtls.uri: must be a URI without * and blanks'],
    [{ uri: 'a.example' }, 'callers.mesh.mtls.uri: must be a URI without * and blanks'],
    [{ uri: '' }, 'callers.mesh.mtls.uri: must be a URI without * and blanks'],
    [{ dns: '*.example.org' }, 'callers.mesh.mtls.dns: must be a DNS name without wildcard and final dot'],
    [{ dns: 'example.org.' }, 'callers.mesh.mtls.dns: must be a DNS name without wildcard and final dot'],
    [{ dns: 'a b' }, 'callers.mesh.mtls.dns: must be a DNS name without wildcard and final dot'],
    [{ spkiSha256: 'ab' }, 'callers.mesh.mtls.spkiSha256: must be 32 bytes in hex'],
  ])('does not load with %j', (mtls, problem) => {
    expect(problems({ mesh: mtls })).toEqual([problem]);
  });

  it('does not load where clients are not asked for certificates', () => {
    expect(problems({ mesh: { dns: 'a.example' } }, { cert: 'cert.pem', key: 'key.pem' })).toEqual([
      'callers.mesh.mtls: needs listen.tls.clientCa, the CAs that issue client certificates',
    ]);
  });

  it('does not load beside another that is recognised by the same', () => {
    expect(problems({ a: { dns: 'a.example' }, b: { dns: 'A.example' } })).toEqual([
      'callers.b.mtls: is what another caller is recognised by too',
    ]);
    expect(problems({ a: { dns: 'a.example' }, b: { dns: 'b.example' } })).toEqual([]);
  });
});
