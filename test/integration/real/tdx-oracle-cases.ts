import type { OracleVerdict } from '../../dcap-oracles.js';
import type { CollateralOptions } from '../../lab/collateral-builder.js';
import { TD_ATTRIBUTE } from '../../lab/td-body-builder.js';
import type { TdQuoteMaking } from '../../lab/td-quote-builder.js';
import type { TdxPlatformOptions } from '../../lab/tdx-platform.js';

/** A quote of the lab with its collateral. What is left out is genuine and up to date. */
export interface LabCase {
  readonly platform?: Partial<TdxPlatformOptions>;
  readonly quote?: TdQuoteMaking;
  readonly collateral?: CollateralOptions;
}

type Said = Partial<OracleVerdict>;

/** `OracleVerdict` of either kind, as far as it matters. */
const accepted = (status: string, advisories?: readonly string[]): Said => ({
  accepted: true,
  status,
  ...(advisories === undefined ? {} : { advisories }),
});
const refused = (because: string): Said => ({ accepted: false, because });

/** The results of the other verifiers for a real quote, and the rule by which it is otherwise here. */
interface RealDifference {
  readonly clause: string;
  readonly ours: Said;
  readonly javaScript: Said;
  readonly webAssembly: Said;
}

/** Advisories of two levels of a real platform, one below the other. */
const OF_MARCH_2024 = ['01010', '01036', '01076', '01079', '01099', '01103', '01111'].map((id) => `INTEL-SA-${id}`);
const OF_AUGUST_2023 = [...['00960', '00982', '00986'].map((id) => `INTEL-SA-${id}`), ...OF_MARCH_2024];

export const REAL_DIFFERENCES: ReadonlyMap<string, RealDifference> = new Map([
  [
    'az-tdx-v4-nonpersisted',
    {
      clause:
        'Intel PCS v4, TDX TCB Info, 3.c: TEE_TCB_SVN[1] > 0 starts the comparison at component 2. ATTRIBUTES: SEPT_VE_DISABLE is for a policy, and clear on Azure',
      ours: accepted('OutOfDate'),
      javaScript: refused('No matching TCB level found'),
      webAssembly: refused('SEPT_VE_DISABLE is not enabled'),
    },
  ],
  [
    'tdx-v4-with-ccel',
    {
      clause:
        'Intel PCS v4, TDX TCB Info, 3.c: its module has SVN 4, component 0 of its level is 5, and is not compared',
      ours: accepted('OutOfDate', OF_MARCH_2024),
      javaScript: accepted('OutOfDate', OF_AUGUST_2023),
      webAssembly: accepted('OutOfDate', OF_AUGUST_2023),
    },
  ],
]);

interface Agreeing extends LabCase {
  readonly title: string;
  readonly status: string;
}

const SA = ['INTEL-SA-01036', 'INTEL-SA-01099'] as const;
const OLD_QE = { levels: [{ isvSvn: 4, status: 'OutOfDate', advisories: ['INTEL-SA-00999', 'INTEL-SA-01036'] }] };
const WITHOUT_IDENTITY = Uint8Array.of(5, 0, 8, ...new Uint8Array(13));

export const AGREEING: readonly Agreeing[] = [
  { title: 'version 4', status: 'UpToDate' },
  { title: 'version 5, TD 1.0', status: 'UpToDate', quote: { version: 5, body: 'td10' } },
  { title: 'version 5, TD 1.5', status: 'UpToDate', quote: { version: 5 } },
  { title: 'zeros after the end', status: 'UpToDate', quote: { trailing: new Uint8Array(70) } },
  { title: 'a PCK certificate of the Processor CA', status: 'UpToDate', platform: { ca: 'processor' } },
  { title: 'a module from before identities', status: 'UpToDate', platform: { teeTcbSvn: WITHOUT_IDENTITY } },
  ...[
    'SWHardeningNeeded',
    'ConfigurationNeeded',
    'ConfigurationAndSWHardeningNeeded',
    'OutOfDate',
    'OutOfDateConfigurationNeeded',
  ].map((status) => ({
    title: `a platform that is ${status}`,
    status,
    collateral: { tcbInfo: { status, advisories: SA } },
  })),
  { title: 'a QE that is OutOfDate', status: 'OutOfDate', collateral: { qeIdentity: OLD_QE } },
  {
    title: 'a QE that is OutOfDate, on a platform with advisories of which one is the same',
    status: 'OutOfDate',
    collateral: { tcbInfo: { status: 'SWHardeningNeeded', advisories: SA }, qeIdentity: OLD_QE },
  },
  {
    title: 'a QE that is OutOfDate, on a platform that is OutOfDateConfigurationNeeded',
    status: 'OutOfDateConfigurationNeeded',
    collateral: { tcbInfo: { status: 'OutOfDateConfigurationNeeded' }, qeIdentity: OLD_QE },
  },
  {
    title: 'a platform below the newest level',
    status: 'OutOfDate',
    platform: { pceSvn: 12 },
    collateral: {
      tcbInfo: {
        levels: [
          { sgxSvns: new Array(16).fill(0), pceSvn: 13, tdxSvns: new Array(16).fill(0) },
          {
            sgxSvns: new Array(16).fill(0),
            pceSvn: 12,
            tdxSvns: new Array(16).fill(0),
            status: 'OutOfDate',
            advisories: SA,
          },
        ],
      },
    },
  },
];

interface Differing extends LabCase {
  readonly title: string;
  /** The rule of Intel's. */
  readonly clause: string;
  readonly ours: Said;
  readonly theirs: Said;
}

const attributes = (extra: bigint): TdQuoteMaking => ({
  fields: { tdAttributes: TD_ATTRIBUTE.septVeDisable | extra },
});
const ZEROS = new Array<number>(16).fill(0);
const NEWER_MODULE = { moduleLevels: [{ isvSvn: 7 }, { isvSvn: 3, status: 'OutOfDate', advisories: SA }] };
const RESERVED = refused('Reserved bits in TD attributes are set');

export const DIFFERING: readonly Differing[] = [
  {
    title: 'a TDX module with a smaller SVN than component 0',
    clause: 'Intel PCS v4, TDX TCB Info, 3.c: TEE_TCB_SVN[1] > 0 starts the comparison at component 2',
    collateral: {
      tcbInfo: {
        levels: [
          { sgxSvns: ZEROS, pceSvn: 0, tdxSvns: [9, ...ZEROS.slice(1)] },
          { sgxSvns: ZEROS, pceSvn: 0, tdxSvns: ZEROS, status: 'OutOfDate' },
        ],
      },
    },
    ours: accepted('UpToDate'),
    theirs: accepted('OutOfDate'),
  },
  {
    title: 'levels that are not listed from the highest on',
    clause: 'Intel DCAP Quote Verification Library, TcbLevel: levels are put in order, whatever that of the JSON',
    collateral: {
      tcbInfo: {
        levels: [
          { sgxSvns: ZEROS, pceSvn: 0, tdxSvns: ZEROS, status: 'OutOfDate' },
          { sgxSvns: ZEROS, pceSvn: 1, tdxSvns: ZEROS },
        ],
      },
    },
    ours: accepted('UpToDate'),
    theirs: accepted('OutOfDate'),
  },
  ...['ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'].map((status) => ({
    title: `a QE that is OutOfDate, on a platform that is ${status}`,
    clause:
      'Intel DCAP Quote Verification Library, merge: configuration that is needed stays so, OutOfDateConfigurationNeeded',
    collateral: { tcbInfo: { status }, qeIdentity: OLD_QE },
    ours: accepted('OutOfDateConfigurationNeeded'),
    theirs: accepted('OutOfDate'),
  })),
  {
    title: 'a TDX module that is OutOfDate',
    clause:
      'Intel PCS v4, tdxModuleIdentities: the level of the module is part of the status, and its advisories of the list',
    collateral: { tcbInfo: NEWER_MODULE },
    ours: accepted('OutOfDate', SA),
    theirs: accepted('UpToDate', []),
  },
  {
    title: 'a TDX module that is Revoked',
    clause: 'Intel DCAP Quote Verification Library, merge: a part that is revoked makes the whole so',
    collateral: { tcbInfo: { moduleStatus: 'Revoked' } },
    ours: refused('tdx_tcb_status'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'an empty list of TDX modules',
    clause:
      'Intel DCAP Quote Verification Library, TdxModuleCheck: a module that no identity is for is refused, also where there are none',
    collateral: { tcbInfo: { modules: [] } },
    ours: refused('tdx_module'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'a TDX module of another signer',
    clause: 'Intel PCS v4, tdxModuleIdentities: MRSIGNERSEAM is that of the identity',
    quote: { fields: { mrSignerSeam: new Uint8Array(48).fill(1) } },
    ours: refused('tdx_module'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'SEAMATTRIBUTES that are not zero, under a mask that leaves them out',
    clause: 'Intel DCAP Quote Verification Library, TdxModuleCheck: SEAMATTRIBUTES are zero, whatever the mask',
    quote: { fields: { seamAttributes: 1n } },
    collateral: {
      tcbInfo: { modules: [{ id: 'TDX_01', attributesMask: new Uint8Array(8), levels: [{ isvSvn: 3 }] }] },
    },
    ours: refused('tdx_seam_attributes'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'a TD that was launched under an older module, and whose platform has been updated since',
    clause: 'Intel DCAP Quote Verification Library, TDRelaunchCheck: nothing but the module at launch is out of date',
    quote: { version: 5, fields: { teeTcbSvn2: Uint8Array.of(7, 1, 8, ...new Uint8Array(13)) } },
    collateral: { tcbInfo: NEWER_MODULE },
    ours: accepted('TDRelaunchAdvised', SA),
    theirs: accepted('UpToDate', []),
  },
  {
    title: 'SEPT_VE_DISABLE clear',
    clause: 'ATTRIBUTES: a claim, since it is clear on Azure; a policy may ask for it',
    quote: { fields: { tdAttributes: 0n } },
    ours: accepted('UpToDate'),
    theirs: refused('SEPT_VE_DISABLE is not enabled'),
  },
  ...(['migratable', 'lass', 'icssd', 'tpa'] as const).map((bit) => ({
    title: `${bit} set`,
    clause: 'ATTRIBUTES: a bit that has got a meaning since TDX 1.0; a claim, and for a policy',
    quote: attributes(TD_ATTRIBUTE[bit]),
    ours: accepted('UpToDate'),
    theirs: RESERVED,
  })),
  {
    title: 'a service TD',
    clause: 'MRSERVICETD: a claim, which a policy refuses unless it lists the value (tdx_service_td)',
    quote: { version: 5, fields: { mrServiceTd: new Uint8Array(48).fill(0x38) } },
    ours: accepted('UpToDate'),
    theirs: refused('Invalid mr service td'),
  },
  {
    title: 'XFAM without SSE',
    clause: 'XFAM: bits 0 and 1 are set in every TD',
    quote: { fields: { xfam: 1n } },
    ours: refused('tdx_xfam'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'QE authentication data of 20 bytes',
    clause: 'QE authentication data: 0 to 1024 bytes, and what is there is hashed',
    quote: { qeAuthData: new Uint8Array(20) },
    ours: accepted('UpToDate'),
    theirs: refused('QE report hash mismatch'),
  },
  {
    title: 'CPUSVN that is not the components',
    clause: 'Intel PCS v4, TDX TCB Info, 3.a: the components .2.1 to .2.16 are compared, CPUSVN is not looked at',
    platform: { pck: { fields: { cpuSvn: new Uint8Array(16) } } },
    ours: accepted('UpToDate'),
    theirs: refused('No matching TCB level found'),
  },
  {
    title: 'TCB info of another PCEID',
    clause: 'Intel PCS v4, TDX TCB Info, 2: FMSPC and PCEID are those of the PCK',
    platform: { pck: { fields: { pceId: Uint8Array.of(0, 1) } } },
    ours: refused('tdx_tcb_info'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'text after the end',
    clause: 'quote format: nothing but zeros follows the signature data',
    quote: { trailing: Uint8Array.from(Buffer.from('text')) },
    ours: refused('tdx_trailing'),
    theirs: accepted('UpToDate'),
  },
  {
    title: 'a quoting enclave of another vendor',
    clause: 'quote header, QE Vendor ID: the vendor is Intel',
    quote: { header: { qeVendorId: new Uint8Array(16) } },
    ours: refused('tdx_qe_vendor'),
    theirs: accepted('UpToDate'),
  },
];
