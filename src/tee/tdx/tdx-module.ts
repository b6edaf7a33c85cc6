import { hex } from '../../core/bytes.js';
import type { Checks } from '../../core/check.js';
import { equalInConstantTime } from '../../crypto/constant-time.js';
import type { TdReportBody } from './format/td-report-body.js';
import type { SvnLevel } from './intel/collateral-json.js';
import type { TcbInfo, TdxModuleIdentity } from './intel/tcb-info.js';
import { equalUnderMask } from './quoting-enclave.js';

/** The collateral's statement about the module that a TD was launched under. */
export interface TdxModule {
  /** `TDX_` and two hex digits; null for modules of version 0, which have no identity and no levels. */
  readonly id: string | null;
  readonly svn: number;
  readonly levels: readonly SvnLevel[];
  /** The first level that the module reaches; null if there is none. */
  readonly level: SvnLevel | null;
}

/**
 * Requires that TCB info describes the TDX module: MRSIGNERSEAM, and SEAMATTRIBUTES under the mask. If TEE_TCB_SVN[1]
 * is 0, `tdxModule` describes it, which has no levels. Otherwise the module identity with that number does (Intel PCS
 * v4, TDX TCB Info). A module without an identity is rejected, even if the TCB info has no identities at all.
 */
export function verifyModule(checks: Checks, info: TcbInfo, body: TdReportBody): TdxModule | null {
  const [svn = 0, version = 0] = body.teeTcbSvn;
  const identity = version === 0 ? null : moduleIdentity(info, version);
  const rule = version === 0 ? info.tdxModule : identity;
  if (rule === null) {
    checks.fail('tdx_module', {
      expected: [...info.tdxModuleIdentities.keys()],
      actual: moduleId(version),
      detail: 'the collateral describes no such TDX module',
    });
    return null;
  }
  const same =
    equalInConstantTime(body.mrSignerSeam, rule.mrSigner) &&
    equalUnderMask(body.seamAttributes, rule.attributesMask, rule.attributes);
  checks.require(same, 'tdx_module', {
    expected: { mrSignerSeam: hex(rule.mrSigner), seamAttributes: hex(rule.attributes) },
    actual: { mrSignerSeam: hex(body.mrSignerSeam), seamAttributes: hex(body.seamAttributes) },
    otherwise: 'the TDX module has another signer, or other attributes, than the collateral describes',
  });
  if (!same) return null;
  const levels = identity?.levels ?? [];
  const level = levels.find(({ isvSvn }) => svn >= isvSvn) ?? null;
  return { id: identity === null ? null : moduleId(version), svn, levels, level };
}

export function moduleIdentity(info: TcbInfo, version: number): TdxModuleIdentity | null {
  return info.tdxModuleIdentities.get(moduleId(version)) ?? null;
}

function moduleId(version: number): string {
  return `TDX_${version.toString(16).padStart(2, '0').toUpperCase()}`;
}
