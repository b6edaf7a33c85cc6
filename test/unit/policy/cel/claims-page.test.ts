import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLAIMS_PATH, claimsText } from '../../../../scripts/claims.js';
import { RULE_CLAIMS } from '../../../../src/policy/cel/claim-types.js';

it('docs/claims.md is what the claims of rules make', () => {
  expect(readFileSync(CLAIMS_PATH, 'utf8'), 'run npm run generate').toBe(claimsText());
});

describe('docs/claims.md says who states', () => {
  const lines = claimsText().split('\n');
  const whoStates = (claim: string) =>
    lines
      .find((line) => line.startsWith(`| \`${claim}\` |`))
      ?.split(' | ')
      .at(2);

  it('the claims of each section', () => {
    for (const section of RULE_CLAIMS.keys()) {
      const [, who] = lines.slice(lines.indexOf(`## ${section}`) + 1);
      expect(who, section).toMatch(/^\*\*Stated by\*\*: .{40}/);
    }
  });

  it.each([
    ['maa.claims.nonce', 'it is an echo of the request'],
    ['maa.claims["x-ms-runtime"]["vm-configuration"]["secure-boot"]', 'the software in the guest chose it'],
    ['maa.claims["x-ms-isolation-tee"]["x-ms-runtime"]["vm-configuration"]["secure-boot"]', 'the paravisor, if'],
    ['maa.claims["x-ms-isolation-tee"]["x-ms-runtime"]["user-data"]', 'the software in the VM'],
    ['snp.chipId', 'under a VLEK it can be all zero'],
    ['snp.part', 'an assumption'],
    ['snp.guestSvn', 'whoever launched the guest chose it, in the ID block: pin `idKeyDigest`'],
    ['snp.familyId', 'in the ID block'],
    ['maa.claims["x-ms-isolation-tee"]["x-ms-sevsnpvm-imageId"]', 'in the ID block'],
    ['snp.hostData', 'no id key signs it'],
    ['tdx.eventLog.applications', 'as far as it replays to RTMRs in the quote'],
    ['tpm.eventLog.files', 'as far as it replays to PCRs in the quote'],
    ['tpm.pcrs.sha256["16"]', 'it can reset it'],
    ['ita.claims.tdx.attester_runtime_data.nonce', 'the software in the guest chose it'],
  ])('%s', (claim, who) => {
    expect(whoStates(claim)).toContain(who);
  });

  it('nothing else of a claim that the section is about', () => {
    expect(whoStates('snp.measurement')?.trim()).toBe('|');
  });
});
