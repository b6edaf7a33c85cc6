import { afterEach, describe, expect, it, vi } from 'vitest';
import type { CheckId } from '../../../src/core/codes.js';
import type { JsonObject } from '../../../src/core/json.js';
import type { AppraisalTopic } from '../../../src/policy/appraise/appraisal-topic.js';
import { attestationResults } from '../../../src/policy/appraise/attestation-results.js';
import { freshness } from '../../../src/policy/appraise/freshness.js';
import { paravisor } from '../../../src/policy/appraise/paravisor.js';
import { referenceValues } from '../../../src/policy/appraise/reference-values.js';
import { secureBoot } from '../../../src/policy/appraise/secure-boot.js';
import { snpMinimums } from '../../../src/policy/appraise/snp-minimums.js';
import { snpRequirements } from '../../../src/policy/appraise/snp-requirements.js';
import { tdxMinimums } from '../../../src/policy/appraise/tdx-minimums.js';
import { tdxRequirements } from '../../../src/policy/appraise/tdx-requirements.js';
import { tpmRequirements } from '../../../src/policy/appraise/tpm-requirements.js';
import { appraised, appraisedTd, only } from './fixture.js';

afterEach(() => vi.restoreAllMocks());

const WITHIN_A_WEEK = { minimums: { tdx: { acceptedStatuses: ['UpToDate'], maxCollateralAgeDays: 7 } } };

const OF_SNP: readonly (readonly [string, AppraisalTopic, JsonObject, CheckId])[] = [
  ['minimums.snp', snpMinimums, {}, 'snp_tcb_floor_missing'],
  ['paravisor', paravisor, { paravisor: 'known' }, 'hcl_paravisor'],
  ['secureBoot', secureBoot, { secureBoot: 'required' }, 'secure_boot'],
  ['nonce', freshness, {}, 'nonce_missing'],
  ['require.snp', snpRequirements, { require: { snp: { committedEqualsCurrent: true } } }, 'snp_provisional'],
  ['require.tpm', tpmRequirements, { require: { tpm: { quotedPcrs: [7] } } }, 'tpm_pcr_not_quoted'],
  ['routes', attestationResults, { routes: { maa: 'required' } }, 'route_missing'],
  ['referenceValues', referenceValues, { referenceValues: [{ snp: { vmpl: [0] } }] }, 'reference_not_applicable'],
];

const OF_TDX: typeof OF_SNP = [
  ['minimums.tdx', tdxMinimums, WITHIN_A_WEEK, 'collateral_stale'],
  ['require.tdx', tdxRequirements, {}, 'tdx_service_td'],
];

describe('a topic of a policy that makes none of its checks', () => {
  it.each(OF_SNP)('DEC-01 is missed, and never an allow: %s', (_member, topic, members, id) => {
    vi.spyOn(topic, 'appraise').mockImplementation(() => {});
    const appraisal = appraised(members);
    expect(appraisal.outcome).toBe('indeterminate');
    expect(only(appraisal, 'internal_error').detail).toContain(id);
  });

  it.each(OF_TDX)('DEC-01 is missed of a TD, and never an allow: %s', (_member, topic, members, id) => {
    vi.spyOn(topic, 'appraise').mockImplementation(() => {});
    const appraisal = appraisedTd(members);
    expect(appraisal.outcome).toBe('indeterminate');
    expect(only(appraisal, 'internal_error').detail).toContain(id);
  });
});
