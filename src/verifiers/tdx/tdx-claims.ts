import type { TdQuote } from '../../formats/td-quote.js';
import { hex } from '../../model/bytes.js';
import type { TdxClaims, TdxTcbClaim } from '../../model/claims.js';
import type { PckExtension } from '../../vendors/intel/pck-extension.js';
import { tdAttributesClaim } from './td-attributes.js';

/** The claims of a quote whose signature, chain and collateral hold. */
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
    reportData: hex(body.reportData),
    ppid: hex(pck.ppid),
    fmspc: hex(pck.fmspc),
    pceId: hex(pck.pceId),
    tcb,
  };
}
