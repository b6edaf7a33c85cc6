import type { JsonObject } from '../../../src/core/json.js';
import { LAB_AT, LAB_NONCE as nonce } from '../../answers/lab.js';
import { LAB_MAA } from '../../answers/setting.js';
import type { MembersChange } from '../../lab/index.js';
import { isolation } from '../service/token-lab.js';
import type { CodeLab } from './code-lab.js';

/** Codes of tokens of other verifiers. */

/** A token of the instance that the setting of test/answers names, as evidence by itself. */
function maaToken(claims: MembersChange, policy = 'tokens') {
  return ({ lab, asked }: CodeLab) => {
    const token = lab.maa.issueAzureVm({
      hclReport: lab.vm.hclReport({ nonce }),
      clientPayloadNonce: nonce,
      claims: (genuine) => changed({ ...genuine, iss: LAB_MAA }, claims),
      header: (genuine) => ({ ...genuine, jku: `${LAB_MAA}/certs` }),
    });
    return asked({ type: 'maa-token', token }, policy);
  };
}

function changed(genuine: JsonObject, change: MembersChange): JsonObject {
  return typeof change === 'function' ? change(genuine) : { ...genuine, ...change };
}

export const tokenRecipes = {
  token_alg: 'lab ita-token: HS256 under tokens',
  token_key: 'lab ita-token: another key id under tokens',
  token_signature: 'lab ita-token: a broken signature under tokens',
  token_time: 'lab ita-token: expired under tokens',
  token_lifetime: maaToken({ exp: LAB_AT.getTime() / 1000 + 200_000 }),
  token_issuer: 'lab ita-token: without issuer under tokens',
  token_issuer_policy: 'lab maa-token: of another policy under tokens',
  token_audience: maaToken({ aud: 'https://gate.example' }),
  token_claim_type: 'lab ita-token: of an enclave without nonce under tokens',
  token_debug: 'lab maa-token: of a debug TD under tokens',
  token_debug_unknown: maaToken(isolation(({ 'x-ms-sevsnpvm-is-debuggable': _, ...rest }) => rest)),
  token_compliance: 'lab maa-token: without compliance under azure-maa-baseline',
  maa_tcb_status: 'lab maa-token: of a TD, Revoked under tokens',
  ita_tcb_status: 'lab ita-token: of status Revoked under tokens',
  ita_policy: 'lab ita-token: of a policy that did not match under tokens',
  ita_debug: 'lab ita-token: of a debug TD under tokens',
  disagreement: 'lab results: list 0 beside SNP under routes',
  route_missing: 'lab snp: snp without token under routes',
  claim_missing: 'lab maa-token: genuine under strict-tokens',
  rule_not_met: maaToken({ level: '3' }, 'ruled'),
  claim_type: maaToken({ level: '3' }, 'ruled'),
} as const;
