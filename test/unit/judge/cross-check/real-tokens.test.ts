import { describe, expect, it } from 'vitest';
import type { Claims, HclClaims } from '../../../../src/core/claims.js';
import type { JsonObject, JsonValue } from '../../../../src/core/json.js';
import { jwkThumbprint } from '../../../../src/crypto/jwk-thumbprint.js';
import { parseStrictJson } from '../../../../src/formats/strict-json.js';
import { isSameTee } from '../../../../src/judge/cross-check/cross-check.js';
import { maaView } from '../../../../src/judge/cross-check/maa-view.js';
import { haveVectors, readVector } from '../../../vectors.js';
import { snpClaims } from '../../policy/fixture.js';
import { altered, compared, hardware, leaves, maa, valueAt, verified } from './fixture.js';

const GUEST_TOKENS = ['maa-azurevm-snp-weu-2022.jwt', 'maa-claims-sample.claims.json'];

function payload(file: string): JsonObject {
  const bytes = Buffer.from(readVector(`maa-jwt/${file}`));
  const [, claims = ''] = bytes.toString('latin1').split('.');
  return parseStrictJson(file.endsWith('.jwt') ? Buffer.from(claims, 'base64url') : bytes) as JsonObject;
}

/** Hardware as the claims about a TEE have it. No report belongs to these tokens: it is made up, member by member. */
function hardwareOf(tee: JsonObject): Claims {
  const at = (name: string): JsonValue => tee[`x-ms-sevsnpvm-${name}`] ?? null;
  const reported = {
    bootloader: Number(at('bootloader-svn')),
    tee: Number(at('tee-svn')),
    snp: Number(at('snpfw-svn')),
    microcode: Number(at('microcode-svn')),
  };
  const { policy, tcb } = snpClaims();
  const snp = snpClaims({
    measurement: String(at('launchmeasurement')),
    reportData: String(at('reportdata')),
    hostData: String(at('hostdata')),
    idKeyDigest: String(at('idkeydigest')),
    authorKeyDigest: String(at('authorkeydigest')),
    reportId: String(at('reportid')),
    familyId: String(at('familyId')),
    imageId: String(at('imageId')),
    vmpl: Number(at('vmpl')),
    guestSvn: Number(at('guestsvn')),
    policy: {
      ...policy,
      debug: at('is-debuggable') === true,
      smt: at('smt-allowed') === true,
      migrateMa: at('migration-allowed') === true,
    },
    tcb: { ...tcb, reported },
  });
  return { snp, ...(tee['x-ms-runtime'] === undefined ? {} : { hcl: hclOf(tee['x-ms-runtime'] as JsonObject) }) };
}

function hclOf(runtime: JsonObject): HclClaims {
  const configuration = runtime['vm-configuration'] as JsonObject;
  return {
    reportType: 'snp',
    paravisor: { known: true, by: 'idKeyDigest' },
    akThumbprint: jwkThumbprint(valueAt(runtime, ['keys', '0'])) ?? '',
    userData: null,
    vmConfiguration: {
      consoleEnabled: configuration['console-enabled'] ?? null,
      currentTime: configuration['current-time'] ?? null,
      secureBoot: configuration['secure-boot'] ?? null,
      tpmEnabled: configuration['tpm-enabled'] ?? null,
      vmUniqueId: String(configuration['vmUniqueId']).toLowerCase(),
    },
  };
}

describe.skipIf(!haveVectors)('real claims of azure attestation', () => {
  it.each(GUEST_TOKENS)('of %s agree with the hardware that they describe, in every claim', (file) => {
    const token = payload(file);
    const found = compared(hardware(hardwareOf(token['x-ms-isolation-tee'] as JsonObject)), maa(token));
    expect(found).toMatchObject({ agree: true, differences: [], notComparable: [] });
    expect(found.equal).toHaveLength(24);
  });

  it('about a bare report agree with it, in every claim', () => {
    const token = payload('maa-sevsnpvm-aci-test-unknown-key.jwt');
    const found = compared(hardware(hardwareOf(token), 'snp'), maa(token));
    expect(found).toMatchObject({ agree: true, differences: [], notComparable: [] });
    expect(found.equal).toHaveLength(18);
  });

  it('TOK-16 of one VM are not about another', () => {
    const [first = '', second = ''] = GUEST_TOKENS;
    const own = hardware(hardwareOf(payload(first)['x-ms-isolation-tee'] as JsonObject));
    expect(isSameTee(own, maa(payload(second)))).toBe(false);
    expect(compared(own, maa(payload(second))).agree).toBe(false);
    expect(compared(maa(payload(first)), maa(payload(second))).agree).toBe(false);
  });

  it('TOK-16 of a VM with Trusted Launch are about no TEE', () => {
    const [file = ''] = GUEST_TOKENS;
    const own = hardware(hardwareOf(payload(file)['x-ms-isolation-tee'] as JsonObject));
    expect(isSameTee(own, maa(payload('maa-azurevm-eus2-2022-unknown-key.jwt')))).toBe(false);
  });

  it.each(GUEST_TOKENS)('of %s are what the view of that hardware shows, each at its path', (file) => {
    const token = payload(file);
    const shown = maaView(verified(hardwareOf(token['x-ms-isolation-tee'] as JsonObject)), 'az-snp-vtpm') ?? {};
    // The VM id has other letters here, so that comparing without case is what made them agree above.
    const id = ['x-ms-isolation-tee', 'x-ms-runtime', 'vm-configuration', 'vmUniqueId'];
    const { absent: _, ...claims } = altered(shown, id, valueAt(token, id));
    for (const path of leaves(claims)) expect([path, valueAt(claims, path)]).toEqual([path, valueAt(token, path)]);
  });
});
