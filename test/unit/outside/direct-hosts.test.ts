import { describe, expect, it } from 'vitest';
import { bareHost, directHosts } from '../../../src/outside/direct-hosts.js';

const NOBODY = directHosts([]);

describe('hosts that are contacted without the proxy', () => {
  it.each([
    'localhost',
    'LOCALHOST.',
    'app.localhost',
    '127.0.0.1',
    '127.9.9.9',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '169.254.169.254',
    '169.254.0.1',
    '[fe80::1]',
    '[::ffff:a9fe:a9fe]',
    '168.63.129.16',
  ])('include %s, whatever the configuration', (host) => {
    expect(NOBODY(host)).toBe(true);
  });

  it.each(['kdsintf.amd.com', '168.63.129.17', '10.0.0.1', '[2001:db8::1]', 'notlocalhost', '8.8.8.8'])(
    'do not include %s, unless the configuration names it',
    (host) => {
      expect(NOBODY(host)).toBe(false);
    },
  );

  it('are exact names, in any case', () => {
    const isDirect = directHosts(['Vault.Example', 'other.example']);
    expect(['vault.example', 'VAULT.example.', 'other.example'].map(isDirect)).toEqual([true, true, true]);
    expect(['a.vault.example', 'vault.example.org', 'xvault.example'].map(isDirect)).toEqual([false, false, false]);
  });

  it('are all names below a suffix, and not the suffix itself', () => {
    const isDirect = directHosts(['.svc']);
    expect(['kubernetes.default.svc', 'a.SVC'].map(isDirect)).toEqual([true, true]);
    expect(['svc', 'xsvc', 'a.svc.example'].map(isDirect)).toEqual([false, false, false]);
  });

  it('are literal addresses in a range, and no name that may resolve to one', () => {
    const isDirect = directHosts(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
    expect(['10.1.2.3', '[2001:db8::1]', '192.0.2.7', '[::ffff:10.1.2.3]'].map(isDirect)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['11.0.0.1', '[2001:db9::1]', '192.0.2.8', '10.example'].map(isDirect)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it('are compared without brackets and final dot', () => {
    expect(['[::1]', 'A.Example.', 'b'].map(bareHost)).toEqual(['::1', 'a.example', 'b']);
  });
});
