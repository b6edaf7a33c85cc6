import { describe, expect, it } from 'vitest';
import type { Claims } from '../../../../src/core/claims.js';
import type { EvidenceType } from '../../../../src/core/evidence.js';
import type { JsonObject } from '../../../../src/core/json.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import { hardwareView } from '../../../../src/judge/cross-check/hardware-view.js';
import { maaView } from '../../../../src/judge/cross-check/maa-view.js';
import { itaTokenView, maaTokenView } from '../../../../src/judge/cross-check/token-views.js';
import { snpClaims, tdxClaims } from '../../policy/fixture.js';
import {
  AZUREVM,
  AZUREVM_TDX,
  altered,
  azClaims,
  azHcl,
  azTdxClaims,
  leaves,
  SEVSNPVM,
  TDXVM,
  TDXVM_AZURE,
  valueAt,
  verified,
} from './fixture.js';

function view(claims: Claims = azClaims(), type: EvidenceType = 'az-snp-vtpm'): JsonObject {
  const found = maaView(verified(claims), type);
  if (found === null) throw new Error('no view');
  return found;
}

/** A token's claims about the TEE, without what our claims cannot show. */
function provable(tee: JsonObject): JsonObject {
  const seen = altered(altered(tee, ['x-ms-compliance-status'], undefined), ['x-ms-runtime', 'keys'], undefined);
  return altered(seen, ['x-ms-runtime', 'vm-configuration', 'vmUniqueId'], azHcl().vmConfiguration?.['vmUniqueId']);
}

describe('what our verification proves under the names of azure attestation', () => {
  it('stands in x-ms-isolation-tee for evidence of a vTPM, with the types of a token', () => {
    const { absent, ...shown } = view();
    expect(shown).toEqual({ 'x-ms-attestation-type': 'azurevm', 'x-ms-isolation-tee': provable(SEVSNPVM) });
    expect(absent).toContain('x-ms-isolation-tee.x-ms-compliance-status');
  });

  it('stands on top for a bare report', () => {
    const { absent, ...shown } = view({ snp: snpClaims() }, 'snp');
    expect(shown).toEqual(altered(provable(SEVSNPVM), ['x-ms-runtime'], undefined));
    expect(absent).toEqual([
      'iss',
      'iat',
      'nbf',
      'exp',
      'jti',
      'nonce',
      'x-ms-ver',
      'x-ms-policy-hash',
      'x-ms-policy-signer',
      'x-ms-compliance-status',
      'x-ms-runtime',
    ]);
  });

  it('shows the claims of a paravisor for a bare report that carries them', () => {
    const { absent: _, ...shown } = view(azClaims(), 'snp');
    expect(shown).toEqual(provable(SEVSNPVM));
  });

  it('lists each member of a guest token that it has not, and none that it has', () => {
    const shown = view();
    const absent = new Set(shown['absent'] as readonly string[]);
    for (const path of leaves(AZUREVM)) {
      const prefixes = path.map((_, i) => path.slice(0, i + 1).join('.'));
      expect([path, prefixes.some((prefix) => absent.has(prefix))]).toEqual([path, valueAt(shown, path) === null]);
    }
  });

  it('lists the configuration where only the key is vouched for', () => {
    const { vmConfiguration: _, ...onlyTheKey } = azHcl({ userData: null });
    const shown = view(azClaims({ hcl: onlyTheKey }));
    expect(valueAt(shown, ['x-ms-isolation-tee', 'x-ms-runtime'])).toBeNull();
    expect(shown['absent']).toContain('x-ms-isolation-tee.x-ms-runtime.vm-configuration');
  });

  it('writes names as the paravisor does', () => {
    const vmConfiguration = { rootCertThumbprint: '', filteredVpciDevicesAllowed: false, vmUniqueId: 'x' };
    const shown = view(azClaims({ hcl: azHcl({ vmConfiguration }) }));
    expect(valueAt(shown, ['x-ms-isolation-tee', 'x-ms-runtime', 'vm-configuration'])).toEqual({
      'root-cert-thumbprint': '',
      'filtered-vpci-devices-allowed': false,
      vmUniqueId: 'x',
    });
  });

  it('has no member that a name of a request could find by its prototype', () => {
    const shown = view();
    for (const path of [[], ['x-ms-isolation-tee'], ['x-ms-isolation-tee', 'x-ms-runtime']]) {
      expect(Object.getPrototypeOf(valueAt(shown, path))).toBeNull();
    }
  });

  it('is nothing where no hardware was verified', () => {
    expect(maaView(verified({}), 'az-snp-vtpm')).toBeNull();
    expect(maaView(verified({}), 'tdx')).toBeNull();
    expect(maaView(verified({ hcl: azHcl() }), 'az-tdx-vtpm')).toBeNull();
    expect(maaView(verified({}), 'maa-token')).toBeNull();
  });
});

describe('what our verification proves of a TD under the names of azure attestation', () => {
  /** Of a `tdxvm` token: what only its service says, and bytes that our claims hold by bit or not at all. */
  const ONLY_IN_TOKENS = [
    'dbgstat',
    'eat_profile',
    'intuse',
    'tdx_seam_attributes',
    'tdx_seamsvn',
    'tdx_td_attributes',
  ];

  it('stands in x-ms-isolation-tee for evidence of a vTPM, with the types of a token', () => {
    const { absent, ...shown } = view(azTdxClaims(), 'az-tdx-vtpm');
    expect(shown).toEqual({ 'x-ms-attestation-type': 'azurevm', 'x-ms-isolation-tee': provable(TDXVM_AZURE) });
    for (const name of ['x-ms-compliance-status', 'x-ms-runtime.keys', ...ONLY_IN_TOKENS]) {
      expect(absent).toContain(`x-ms-isolation-tee.${name}`);
      expect(absent).not.toContain(name);
    }
  });

  it('stands on top for a bare quote', () => {
    const { absent, ...shown } = view({ tdx: tdxClaims() }, 'tdx');
    expect(shown).toEqual(TDXVM);
    expect(absent).toEqual([
      'iss',
      'iat',
      'nbf',
      'exp',
      'jti',
      'nonce',
      'x-ms-ver',
      'x-ms-policy-hash',
      'x-ms-policy-signer',
      'x-ms-compliance-status',
      ...ONLY_IN_TOKENS,
      'x-ms-runtime',
    ]);
  });

  it('shows the claims of a paravisor for a bare quote that carries them', () => {
    const { absent: _, ...shown } = view(azTdxClaims(), 'tdx');
    expect(shown).toEqual(provable(TDXVM_AZURE));
  });

  it('lists each member of a token that it has not, and none that it has', () => {
    const whole = { ...TDXVM_AZURE, ...Object.fromEntries(ONLY_IN_TOKENS.map((name) => [name, 'disabled'])) };
    const token = { ...AZUREVM_TDX, 'x-ms-isolation-tee': whole };
    const shown = view(azTdxClaims(), 'az-tdx-vtpm');
    const absent = new Set(shown['absent'] as readonly string[]);
    for (const path of leaves(token)) {
      const prefixes = path.map((_, i) => path.slice(0, i + 1).join('.'));
      expect([path, prefixes.some((prefix) => absent.has(prefix))]).toEqual([path, valueAt(shown, path) === null]);
    }
  });

  it('has no names of SEV-SNP, and the view of SEV-SNP none of a TD', () => {
    expect(JSON.stringify(view(azTdxClaims(), 'az-tdx-vtpm'))).not.toContain('sevsnpvm');
    expect(JSON.stringify(view())).not.toContain('tdx');
  });

  it('has no member that a name of a request could find by its prototype', () => {
    const shown = view(azTdxClaims(), 'az-tdx-vtpm');
    for (const path of [[], ['x-ms-isolation-tee'], ['x-ms-isolation-tee', 'x-ms-runtime']]) {
      expect(Object.getPrototypeOf(valueAt(shown, path))).toBeNull();
    }
  });
});

describe('a route that said nothing', () => {
  it('has no view', () => {
    expect(hardwareView(verified({}), 'snp')).toBeNull();
    expect(maaTokenView(verified(azClaims()), jwkThumbprint)).toBeNull();
    expect(itaTokenView(verified(azClaims()), jwkThumbprint)).toBeNull();
  });
});
