import { encodeCollateralFile } from '../../src/tee/tdx/intel/collateral-file.js';
import { createAmdPki } from '../lab/amd-pki.js';
import { buildCcel, labCcelEvents } from '../lab/ccel-builder.js';
import { buildCertificateTable } from '../lab/certificate-table-builder.js';
import {
  asCcelEvents,
  buildCelJson,
  buildCelTlv,
  buildEventLog,
  buildSha1EventLog,
  grubBoot,
  systemdPhases,
  ukiBoot,
  windowsBoot,
} from '../lab/event-log-builder.js';
import { buildGoTpmAttestation, buildGoTpmQuote } from '../lab/go-tpm-attestation-builder.js';
import { createIntelPki } from '../lab/intel-pki.js';
import { buildTdReport } from '../lab/td-report-builder.js';
import { TdxPlatform } from '../lab/tdx-platform.js';
import { makeToken, registeredClaims } from '../lab/token-making.js';
import { VaultAnswerPki } from '../lab/vault-answer-pki.js';
import { createVirtualMachine } from '../lab/virtual-machine.js';
import { base64Of, certificateOf, jwkOf, TOKEN_KEYS } from '../unit/token-jwk.js';
import type { ParserName } from './target.js';

const AT = new Date('2026-01-15T12:00:00Z');
const NONCE = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

const POLICY = `apiVersion: veritee/v1
id: payments
version: 1
accepts: [snp, az-snp-vtpm]
minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }
require: { snp: { machines: { cspId: [provider] } }, tpm: { quotedPcrs: [7] } }
referenceValues: [ { appliesTo: { product: Milan }, snp: { vmpl: [0] } } ]
waivers: [ { check: crl_unavailable, reason: r, approver: a, expires: "2027-01-01" } ]
`;

/** Genuine inputs of each parser, made by the lab: what a fuzzer starts from. */
export type Seeds = { readonly [name in ParserName]: readonly Uint8Array[] };

export async function makeSeeds(): Promise<Seeds> {
  const amd = await amdSeeds();
  const intel = intelSeeds();
  const log = [buildCcel(labCcelEvents())];
  const phases = systemdPhases('enter-initrd', 'leave-initrd');
  const canonical = [
    buildCelTlv(phases),
    ...(['array', 'sequence', 'lines'] as const).map((form) => buildCelJson(phases, form)),
  ];
  const boots = [grubBoot(), ukiBoot(), windowsBoot()];
  const tokens = [Buffer.from(token())];
  return {
    ...amd,
    ...intel,
    eventLog: log,
    eventLogShown: log,
    canonicalEventLog: canonical,
    eventLogJudged: [
      ...boots.map((events) => buildEventLog(events)),
      ...boots.map((events) => buildCcel(asCcelEvents(events))),
      buildSha1EventLog(grubBoot()),
      ...canonical,
    ],
    jws: tokens,
    tokenShown: tokens,
    keySet: [Buffer.from(JSON.stringify({ keys: [jwk()] }))],
    base64: [Buffer.from('QUJDRA=='), Buffer.from('_-8')],
    hex: [Buffer.from('00ffAB')],
    policy: [Buffer.from(POLICY)],
  };
}

async function amdSeeds() {
  const pki = createAmdPki({ at: AT });
  const vm = await createVirtualMachine({ pki });
  const { hclReport, tpmQuote } = vm.evidence({ nonce: NONCE });
  const { vek, crl, chain } = vm.platform;
  const body = { evidence: vm.wireEvidence({ nonce: NONCE }), nonce: NONCE.toString('base64url'), policy: ['a', 'b'] };
  const certified = vm.vtpm.certify(vm.vtpm.publicJwk);
  const signature = Buffer.concat([Buffer.from('0014000b0100', 'hex'), tpmQuote.signature]);
  return {
    snpReport: [hclReport.subarray(32, 32 + 1184)],
    snpCertificateTable: [buildCertificateTable([['vcek', vek.der]])],
    hclReport: [hclReport],
    runtimeClaims: [vm.runtimeClaims({ nonce: NONCE })],
    tpmQuote: [tpmQuote.message],
    tpmQuoteShown: [tpmQuote.message],
    tpmCertify: [certified.info],
    tpmPublic: [certified.publicArea, vm.vtpm.certify(jwk(), { authPolicy: new Uint8Array() }).publicArea],
    tpmKeyShown: [certified.info, certified.publicArea],
    goTpmAttestation: [
      buildGoTpmAttestation({
        ak_pub: vm.vtpm.akPublic().subarray(2),
        quotes: [buildGoTpmQuote(tpmQuote, 'sha1'), buildGoTpmQuote(tpmQuote, 'sha256')],
        event_log: buildEventLog(grubBoot()).subarray(0, 200),
        instance_info: Buffer.from('instance'),
        ak_cert: vek.der,
        intermediate_certs: pki.chainDer('Milan', 'vcek'),
      }),
    ],
    tpmSignature: [signature, tpmQuote.signature],
    certificate: [vek.der, ...pki.chainDer('Milan', 'vcek')],
    dnsNames: [new VaultAnswerPki('vault.azure.net').leafCertificate()],
    crl: [crl],
    pemChain: [Buffer.from(chain)],
    json: [Buffer.from(JSON.stringify(body))],
    request: [Buffer.from(JSON.stringify(body))],
  };
}

function intelSeeds() {
  const platform = new TdxPlatform({ pki: createIntelPki({ at: AT }) });
  const collateral = platform.collateral({ at: AT });
  const quotes = [platform.quote(), platform.quote({ version: 5 })];
  return {
    tdQuote: quotes,
    tdQuoteShown: quotes,
    tdReport: [buildTdReport(platform.bodyFields())],
    tcbInfo: [Buffer.from(collateral.tcbInfo)],
    qeIdentity: [Buffer.from(collateral.qeIdentity)],
    collateralFile: [Buffer.from(encodeCollateralFile(collateral))],
    pckExtension: [platform.pck.der],
  };
}

const token = () =>
  makeToken({
    header: { typ: 'JWT', kid: 'a' },
    claims: { ...registeredClaims('https://issuer.example', AT, 300), nested: { list: [1, true, null] } },
    key: TOKEN_KEYS.a.privateKey,
    algorithm: 'RS256',
  });

const jwk = () => jwkOf(TOKEN_KEYS.a, 'a', { x5c: [base64Of(certificateOf(TOKEN_KEYS.a))] });
