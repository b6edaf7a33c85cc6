import { hex } from '../../core/bytes.js';
import type { ServiceTdClaim, TdxClaims, TdxTcbClaim } from '../../core/claims.js';
import type { TdQuote } from './format/td-quote.js';
import type { TdReportBody } from './format/td-report-body.js';
import type { PckExtension } from './intel/pck-extension.js';
import { tdAttributesClaim } from './td-attributes.js';

/** Builds the claims of a quote with valid signature, chain and collateral. */
export function tdxClaims({ version, body }: TdQuote, pck: PckExtension, tcb: TdxTcbClaim): TdxClaims {
  const [rtmr0, rtmr1, rtmr2, rtmr3] = body.rtmr;
  return {
    quoteVersion: version,
    mrtd: hex(body.mrTd),
    rtmr: [hex(rtmr0), hex(rtmr1), hex(rtmr2), hex(rtmr3)],
    mrConfigId: hex(body.mrConfigId),
    mrOwner: hex(body.mrOwner),
    mrOwnerConfig: hex(body.mrOwnerConfig),
    mrSeam: hex(body.mrSeam),
    mrSignerSeam: hex(body.mrSignerSeam),
    ...(body.td15 === null ? {} : { mrServiceTd: hex(body.td15.mrServiceTd) }),
    teeTcbSvn: hex(body.teeTcbSvn),
    tdAttributes: tdAttributesClaim(body.tdAttributes),
    xfam: hex(body.xfam),
    ...(body.extension === null ? {} : { serviceTd: serviceTdClaim(body.extension.serviceTd) }),
    reportData: hex(body.reportData),
    ppid: hex(pck.ppid),
    fmspc: hex(pck.fmspc),
    pceId: hex(pck.pceId),
    tcb,
  };
}

function serviceTdClaim(fields: NonNullable<TdReportBody['extension']>['serviceTd']): ServiceTdClaim {
  return {
    initHash: hex(fields.initHash),
    initAttributes: hex(fields.initAttributes),
    currentHash: hex(fields.currentHash),
    currentAttributes: hex(fields.currentAttributes),
    initTcbSvn: hex(fields.initTcbSvn),
    initCpuSvn: hex(fields.initCpuSvn),
    initModel: hex(fields.initModel),
  };
}
