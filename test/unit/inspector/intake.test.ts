import { describe, expect, it } from 'vitest';
import { base64, hex } from '../../../src/core/bytes.js';
import type { JsonObject } from '../../../src/core/json.js';
import { parsePemCertificates } from '../../../src/formats/pem.js';
import { type Intake, readIntake, requestFor } from '../../../src/inspector/intake.js';
import { buildCertificateTable } from '../../lab/certificate-table-builder.js';
import { createAmdPki, createVirtualMachine } from '../../lab/index.js';
import { TDX_VM } from '../tee/azure/tdx-fixture.js';

const pki = createAmdPki();
const vm = await createVirtualMachine({ pki });
const report = vm.hclReport().subarray(32, 32 + 1184);
const [ask = new Uint8Array(), ark = new Uint8Array()] = parsePemCertificates(pki.chainPem('Milan'), 'cert_format');
const table = buildCertificateTable([
  ['vcek', vm.platform.vek.der],
  ['ask', ask],
  ['ark', ark],
]);
/** The answer of the firmware of the host to SNP_GET_EXT_REPORT. */
const extended = Buffer.concat([report, table]);
const quote = TDX_VM.evidence().tdQuote;
const bytesOf = (text: string) => Buffer.from(text);
const take = (text: string) => readIntake(bytesOf(text));
const encode = (bytes: Uint8Array) => base64(bytes, 'base64url');
const tokenOf = (iss: string) =>
  [{ alg: 'RS256' }, { iss }, 's'].map((part) => encode(bytesOf(JSON.stringify(part)))).join('.');

const SGX_QUOTE = Buffer.concat([
  Buffer.from('030002000000000009000d00939a7233f79c4ca9940a0db3957f0607', 'hex'),
  Buffer.alloc(600),
]);

/** Names of the structures that are shown. */
function namesIn(intake: Intake): readonly string[] {
  return intake.kind === 'bytes' ? intake.found.structures.map(({ name }) => name) : [];
}

/** The request to the service about bytes by themselves. */
function requestOf(bytes: Uint8Array) {
  const intake = readIntake(bytes);
  if (intake.kind !== 'bytes') throw new Error(`taken as ${intake.kind}`);
  return requestFor(intake.found, intake.token, encode);
}

describe('what was given', () => {
  it('is a /verify body, or its evidence alone', () => {
    expect(take(' {"evidence":{"type":"snp"},"nonce":"AQ"} ')).toEqual({
      kind: 'request',
      body: { evidence: { type: 'snp' }, nonce: 'AQ' },
    });
    expect(take('{"type":"snp","report":"AQ"}')).toEqual({
      kind: 'request',
      body: { evidence: { type: 'snp', report: 'AQ' } },
    });
  });

  it.each(['\ufeff', '\u00a0', '\f\n'])('is that with what editors write around it: %j', (around) => {
    expect(take(`${around}{"evidence":{"type":"snp"}}${around}`)).toEqual({
      kind: 'request',
      body: { evidence: { type: 'snp' } },
    });
  });

  it('is the id of a decision', () => {
    const id = '019BC1F0-5A3C-7B52-9D9F-3A0E8D0F5C11';
    expect(take(`${id}\n`)).toEqual({ kind: 'decision', id: id.toLowerCase() });
    for (const text of [`"${id}"`, `https://veritee.example/#decision=${id}`, `/#decision=${id}`]) {
      expect(take(text)).toEqual({ kind: 'decision', id: id.toLowerCase() });
    }
    expect(take(id.replace('7B52', '4B52')).kind).toBe('unknown');
    expect(take(`${id}#decision=other`).kind).toBe('unknown');
  });

  it('is a receipt, and no token that is judged', () => {
    const claims = { iss: 'https://veritee.example', eat_profile: 'tag:github.com,2023:veraison/ear' };
    const receipt = [{ alg: 'ES256', kid: 'one', typ: 'eat+jwt' }, claims, 's']
      .map((part) => encode(bytesOf(JSON.stringify(part))))
      .join('.');
    expect(take(`${receipt}\n`)).toMatchObject({ kind: 'receipt', receipt, found: { kind: 'token' } });
    expect(take(tokenOf('https://maa.example'))).toMatchObject({ kind: 'bytes' });
    for (const typ of ['JWT', 'eat+jwtx', 'EAT+JWT', 'application/eat+jwt', ['eat+jwt'], null]) {
      const other = [{ alg: 'ES256', kid: 'one', typ }, claims, 's']
        .map((part) => encode(bytesOf(JSON.stringify(part))))
        .join('.');
      expect([typ, take(other)]).toMatchObject([typ, { kind: 'bytes', token: other }]);
    }
    // The type is that of the header, whatever the claims say.
    const inClaims = [{ alg: 'ES256' }, { ...claims, typ: 'eat+jwt' }, 's'].map((part) =>
      encode(bytesOf(JSON.stringify(part))),
    );
    expect(take(inClaims.join('.'))).toMatchObject({ kind: 'bytes' });
    for (const eat_profile of ['tag:example.com,2026:other', undefined, ['tag:github.com,2023:veraison/ear']]) {
      const other = [{ alg: 'ES256', typ: 'eat+jwt' }, { ...claims, eat_profile }, 's']
        .map((part) => encode(bytesOf(JSON.stringify(part))))
        .join('.');
      expect([eat_profile, take(other)]).toMatchObject([eat_profile, { kind: 'bytes', token: other }]);
    }
  });

  it('is a key set', () => {
    expect(take('{"keys":[{"kty":"EC"}]}')).toEqual({ kind: 'key-set', keySet: { keys: [{ kty: 'EC' }] } });
    expect(take('{"keys":"none"}').kind).toBe('unknown');
  });

  it.each<readonly [string, JsonObject]>([
    ['the attestation key', { keys: [{ kid: 'HCLAkPub', kty: 'RSA' }] }],
    ['vm-configuration', { keys: [{ kid: 'one', kty: 'RSA' }], 'vm-configuration': {} }],
    ['user-data', { keys: [], 'user-data': '00' }],
  ])('is runtime data, which is no key set though it has keys: %s', (_member, data) => {
    const text = `${JSON.stringify(data)}\n`;
    const intake = take(text);
    expect(intake).toMatchObject({
      kind: 'bytes',
      token: null,
      found: { kind: 'runtime-data', pointer: '', problem: null },
    });
    expect(namesIn(intake)).toEqual(['runtime data']);
    expect(intake.kind === 'bytes' && Buffer.from(intake.found.bytes).toString()).toBe(text);
    expect(requestOf(bytesOf(text))).toBeNull();
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      const encoded = take(Buffer.from(text).toString(encoding));
      expect([encoding, encoded]).toMatchObject([encoding, { kind: 'bytes', found: { kind: 'runtime-data' } }]);
      expect(encoded.kind === 'bytes' && Buffer.from(encoded.found.bytes).toString()).toBe(text);
    }
  });

  it.each([
    ['as it is', report],
    ['as hex in lines', bytesOf(Buffer.from(report).toString('hex').replace(/.{64}/g, '$&\n'))],
    ['as base64', bytesOf(Buffer.from(report).toString('base64'))],
    ['as base64url', bytesOf(Buffer.from(report).toString('base64url'))],
  ])('is a report, written %s', (_form, bytes) => {
    const intake = readIntake(bytes);
    expect(intake).toMatchObject({ kind: 'bytes', found: { kind: 'snp-report' } });
    expect(intake.kind === 'bytes' && hex(intake.found.bytes)).toBe(hex(report));
  });

  it.each([
    ['as it is', extended],
    ['as base64', bytesOf(extended.toString('base64'))],
  ])('is an extended report, shown as its report and its certificates: %s', (_form, bytes) => {
    const intake = readIntake(bytes);
    expect(intake).toMatchObject({ kind: 'bytes', token: null, found: { kind: 'snp-extended-report', problem: null } });
    expect(namesIn(intake)).toEqual(['ATTESTATION_REPORT', 'VCEK', 'ASK', 'ARK']);
  });

  it('is a certificate table by itself, shown as its certificates', () => {
    const intake = readIntake(table);
    expect(intake).toMatchObject({
      kind: 'bytes',
      token: null,
      found: { kind: 'snp-certificate-table', problem: null },
    });
    expect(namesIn(intake)).toEqual(['VCEK', 'ASK', 'ARK']);
  });

  it.each([
    ['', 'There is nothing in it.'],
    ['{"a":1}', expect.stringMatching(/^It is JSON without the member evidence or type: .* \(docs\/formats\.md\)\.$/)],
    ['{"a":1,"a":2}', expect.stringMatching(/^It is not strict JSON: .*twice/)],
    ['nothing that anybody knows', expect.stringMatching(/^It is none of what this page knows: /)],
    ['-----BEGIN PRIVATE KEY-----', 'It holds a private key, which is never needed here.'],
    [SGX_QUOTE.toString('base64'), 'It is a quote of an SGX enclave, not of a TD.'],
    [SGX_QUOTE.toString('hex'), 'It is a quote of an SGX enclave, not of a TD.'],
  ])('is unknown, and why: %j', (text, why) => {
    expect(take(text)).toEqual({ kind: 'unknown', why });
  });

  it.each<readonly [string, JsonObject, string, string]>([
    ['Trustee', { hcl_report: '', tpm_quote: {} }, 'az-snp-vtpm', 'trustee'],
    ['Trustee on TDX', { hcl_report: '', tpm_quote: {}, td_quote: '' }, 'az-tdx-vtpm', 'trustee'],
    ['an Azure guest', { TpmInfo: {}, IsolationInfo: { Type: 'Tdx' } }, 'az-tdx-vtpm', 'azure-guest'],
    [
      'an Azure guest without hardware',
      { TpmInfo: {}, IsolationInfo: { Type: 'TrustedLaunch' } },
      'tpm',
      'azure-guest',
    ],
  ])('is not guessed where a guest of another verifier made it, which is said: %s', (_guest, value, type, dialect) => {
    const sentAs = `which is sent as {"evidence":{"type":"${type}","dialect":"${dialect}","value":…}}.`;
    const expected = { kind: 'unknown', why: expect.stringMatching(/^This looks like /) };
    const json = JSON.stringify(value);
    for (const text of [json, Buffer.from(json).toString('base64'), Buffer.from(json).toString('hex')]) {
      const intake = take(text);
      expect(intake).toEqual(expected);
      expect(intake.kind === 'unknown' && intake.why.endsWith(sentAs)).toBe(true);
    }
  });

  it('is unknown where it is other JSON in base64', () => {
    const why = expect.stringMatching(/^It is none of what this page knows: /);
    for (const json of ['{"a":1}', '[{"keys":[{"kid":"HCLAkPub"}]}]', '{"keys":[]}'])
      expect(take(Buffer.from(json).toString('base64'))).toEqual({ kind: 'unknown', why });
  });

  it('is unknown where it is larger than any evidence', () => {
    const why = 'It is larger than 4 MiB, which no evidence is.';
    expect(readIntake(new Uint8Array(4 * 2 ** 20 + 1))).toEqual({ kind: 'unknown', why });
    expect(readIntake(new Uint8Array(4 * 2 ** 20))).not.toEqual({ kind: 'unknown', why });
  });
});

describe('the request for bytes by themselves', () => {
  it('is about a report, an extended report, or a quote', () => {
    expect(requestOf(report)).toEqual({ evidence: { type: 'snp', report: encode(report) } });
    expect(requestOf(extended)).toEqual({
      evidence: { type: 'snp', dialect: 'extended-report', value: encode(extended) },
    });
    expect(requestOf(quote)).toEqual({ evidence: { type: 'tdx', quote: encode(quote) } });
  });

  it('is about a token, under the type that its issuer has', () => {
    const [azure, intel] = ['https://sharedweu.weu.attest.azure.net', 'Intel Trust Authority'].map(tokenOf);
    const typeOf = (issuer: string) => requestOf(bytesOf(tokenOf(issuer)));
    expect(typeOf('https://portal.eu.trustauthority.intel.com')).toMatchObject({ evidence: { type: 'ita-token' } });
    for (const issuer of [
      'https://contosointel.weu.attest.azure.net',
      'https://contoso.usgovvirginia.attest.azure.us/',
      'https://contoso.chinanorth.attest.azure.cn',
    ])
      expect(typeOf(issuer)).toMatchObject({ evidence: { type: 'maa-token' } });
    expect(requestOf(bytesOf(`${azure}\n`))).toEqual({ evidence: { type: 'maa-token', token: azure } });
    expect(requestOf(bytesOf(intel ?? ''))).toEqual({ evidence: { type: 'ita-token', token: intel } });
  });

  it.each([
    'https://intel.com.example',
    'Intel Trust Authority 2',
    'http://sharedweu.weu.attest.azure.net',
    'https://sharedweu.weu.attest.azure.net.example',
    'https://example/.attest.azure.net',
    'https://sharedweu.weu.attest.azure.org',
    'https://nras.attestation.nvidia.com',
    7,
  ])('is none about a token of another issuer: %s', (issuer) => {
    expect(requestOf(bytesOf(tokenOf(issuer as string)))).toBeNull();
  });

  it('is none where they cannot be judged alone', () => {
    expect(requestOf(vm.evidence().tpmQuote.message)).toBeNull();
    expect(requestOf(vm.hclReport())).toBeNull();
    expect(requestOf(table)).toBeNull();
  });
});
