import { createPublicKey, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import type { JsonObject } from '../../../src/core/json.js';
import { boundValue } from '../../lab/bound-value.js';
import { createVirtualMachine, type TokenMaking, type VirtualMachine, wireEvidence } from '../../lab/index.js';
import { unwrapReleasedKey } from '../../lab/key-release.js';
import { namedRsaKey } from '../../lab/lab-keys.js';
import { azureKey } from '../../lab/runtime-claims-builder.js';
import type { Answer } from '../http/exchange.js';
import { VaultLab } from '../key-vault/vault-lab.js';
import { call, type LabService, lenientPolicy, PKI, post, sha256Hex, WITHOUT_ENDORSEMENTS } from './lab-service.js';
import { objectOf, TokenLab } from './token-lab.js';

/** The release of a key of a vault: service, Azure Attestation, Entra and vault of the lab, by the real library. */

const KEY = 'sesame-gate';
const HEADERS = { authorization: `Bearer ${KEY}` };
const VERSION = 'e473cd4c66224d16870bbe2eb4c58078';
const RELEASE = /\/release\?/;

/** The key that the guest of the lab has its tokens made with. */
const ephemeral = namedRsaKey('maa-ephemeral', 2048).privateKey;
const jwkOf = (key: typeof ephemeral): JsonObject => {
  const { kty = '', n = '', e = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { kty, n, e };
};
const JWK = jwkOf(ephemeral);
const OTHER_JWK = jwkOf(namedRsaKey('another-guest', 2048).privateKey);

const WAIVERS = ['snp_product_advisory', 'snp_tcb_floor_missing'].map((check) => ({
  check,
  reason: 'a lab',
  approver: 'the lab',
  expires: '2999-01-01',
}));

let tokens: TokenLab;
let lab: LabService;
let vaults: VaultLab;
let service: RunningService;
let other: VirtualMachine;
let material: Uint8Array;
let started = 0;

beforeAll(async () => {
  tokens = await TokenLab.create();
  lab = tokens.service;
  vaults = await VaultLab.start({}, tokens.tls);
  other = await createVirtualMachine({ pki: PKI, platform: lab.vm.platform });
  await lab.writePolicy(
    lenientPolicy('keys', { freshness: 'strict', nonce: 'challenge', binding: 'required', waivers: WAIVERS }),
  );
  const policy = {
    anyOf: [
      {
        authority: tokens.maa.issuer,
        allOf: [{ claim: 'x-ms-isolation-tee.x-ms-compliance-status', equals: 'azure-compliant-cvm' }],
      },
    ],
  };
  vaults.vault.addExportable('disk', policy, '0'.repeat(32));
  material = vaults.vault.addExportable('disk', policy, VERSION).material;
  await writeFile(join(lab.root, 'vault-root.pem'), vaults.vault.answers.rootPem());
  service = await start();
});

afterEach(async () => {
  vaults.vault.denied.clear();
  vaults.vault.releaseMaking = {};
  await vaults.vault.heal();
});

afterAll(async () => {
  await tokens.close();
  await vaults.close();
});

async function start(key: object = {}, members: object = {}): Promise<RunningService> {
  started += 1;
  const keys = {
    db: {
      vault: `https://${vaults.vault.host}`,
      name: 'disk',
      enc: 'RSA_AES_KEY_WRAP_384',
      policy: 'keys',
      anyMachine: true,
      roots: join(lab.root, 'vault-root.pem'),
      credential: await vaults.identity(),
      ...key,
    },
  };
  const gate = {
    apiKeySha256: sha256Hex(KEY),
    expires: '2999-01-01',
    roles: ['release', 'verify', 'audit:read'],
    keys: ['db'],
  };
  const world = { connect: vaults.connect, vaultPort: vaults.vault.port };
  return tokens.start({ keys, callers: { gate }, ...members }, world, `vault-key-${started}`);
}

async function challenge({ url } = service): Promise<Uint8Array> {
  const { body } = await post(url, '/challenges', '{}', HEADERS);
  return Buffer.from(body.nonce, 'base64url');
}

interface Asked {
  readonly nonce?: Uint8Array;
  /** The key that the evidence binds. */
  readonly jwk?: JsonObject;
  /** The owner of the token. */
  readonly tokenOf?: VirtualMachine;
  readonly making?: TokenMaking;
  readonly token?: string;
  readonly query?: string;
  readonly by?: RunningService;
}

/** Evidence and token of one moment, as a guest makes both. */
async function release(asked: Asked = {}): Promise<Answer & { readonly token: string }> {
  const { by = service, jwk = JWK, tokenOf = lab.vm, making = {}, query = '' } = asked;
  const { nonce = await challenge(by) } = asked;
  const evidence = lab.vm.evidence({ nonce, jwk, endorsements: WITHOUT_ENDORSEMENTS });
  const of = tokenOf === lab.vm ? evidence : tokenOf.evidence({ nonce, jwk });
  const { token = issue(of.hclReport, boundValue(nonce, jwk), making) } = asked;
  const body = {
    evidence: wireEvidence(evidence),
    nonce: Buffer.from(nonce).toString('base64url'),
    binding: { jwk },
    attestationResults: [{ type: 'maa-token', token }],
  };
  const answer = await post(by.url, `/keys/db/release${query}`, JSON.stringify(body), HEADERS);
  return { ...answer, token };
}

function issue(hclReport: Uint8Array, clientPayloadNonce: Uint8Array, making: TokenMaking): string {
  return tokens.maa.issueAzureVm({ hclReport, clientPayloadNonce, ...making });
}

/** Other keys in the token's own runtime claims. */
const withKeys = (keys: readonly JsonObject[]): TokenMaking => ({
  claims: (claims) => ({ ...claims, 'x-ms-runtime': { ...objectOf(claims['x-ms-runtime']), keys } }),
});

const verdict = ({ body }: Answer) => [body.decision, body.reasons, body.release];
const posts = () => vaults.vault.count(RELEASE);

describe('a key of a vault', () => {
  it('releases the key of the vault, and the guest unwraps it', async () => {
    const before = posts();
    const { body, token } = await release();
    expect([body.decision, body.reasons]).toEqual(['allow', []]);
    expect(body.release.keyVersion).toBe(VERSION);
    expect(Buffer.from(unwrapReleasedKey(body.release.value, ephemeral))).toEqual(Buffer.from(material));
    // The target is the token, byte for byte.
    const asked = vaults.vault.received.filter(({ url }) => RELEASE.test(url)).at(-1);
    expect(JSON.parse(asked?.body ?? '').target).toBe(token);
    expect(posts() - before).toBe(1);
  });

  it('has the nonce of the request in the answer of the vault', async () => {
    const nonce = await challenge();
    const { body } = await release({ nonce });
    const payload = JSON.parse(Buffer.from(body.release.value.split('.')[1], 'base64url').toString());
    expect(payload.request.nonce).toBe(Buffer.from(nonce).toString('base64url'));
  });

  it('is not asked for while AMD KDS is out of reach, which is no deny', async () => {
    const [offline, before] = [await start({}, { amd: { kds: 'off' } }), posts()];
    expect(verdict(await release({ by: offline }))).toEqual(['indeterminate', ['vcek_unavailable'], null]);
    expect(posts()).toBe(before);
  });

  it('is in the decision log with the vault that was asked', async () => {
    const { body } = await release();
    const { body: recorded } = await call(service.url, `/decisions/${body.decisionId}`, { headers: HEADERS });
    expect(recorded.release).toMatchObject({ keyId: 'db', state: 'released', keyVersion: VERSION, code: null });
    // By this the log tells it from the release of a local key.
    const ofVault = recorded.checks.find(({ id }: { id: string }) => id === 'release_other_vm');
    expect(ofVault.result).toBe('pass');
  });

  it('of a dry run is judged, and no vault is asked', async () => {
    const before = posts();
    expect(verdict(await release({ query: '?dryRun=true' }))).toEqual(['allow', [], null]);
    expect(posts()).toBe(before);
  });

  it.each(['RSA_AES_KEY_WRAP_256', 'CKM_RSA_AES_KEY_WRAP'])('is wrapped as its configuration says: %s', async (enc) => {
    const by = await start({ enc });
    const nonce = await challengeOf(by);
    const { body } = await release({ by, nonce });
    expect(Buffer.from(unwrapReleasedKey(body.release.value, ephemeral))).toEqual(Buffer.from(material));
    const asked = vaults.vault.received.filter(({ url }) => RELEASE.test(url)).at(-1);
    expect(JSON.parse(asked?.body ?? '').enc).toBe(enc);
  });

  it('of a version is that version alone', async () => {
    const by = await start({ version: '0'.repeat(32) });
    const { body } = await release({ by, nonce: await challengeOf(by) });
    expect(body.release.keyVersion).toBe('0'.repeat(32));
  });

  it('is handed out only where the answer chains to the roots of the configuration', async () => {
    const by = await start({ roots: null });
    const { body } = await release({ by, nonce: await challengeOf(by) });
    expect(verdict({ body } as Answer)).toEqual(['deny', ['release_refused'], null]);
  });

  it('needs a token in the body, and uses no challenge up without', async () => {
    const nonce = await challenge();
    const evidence = lab.vm.wireEvidence({ nonce, jwk: JWK, endorsements: WITHOUT_ENDORSEMENTS });
    const body = { evidence, nonce: Buffer.from(nonce).toString('base64url'), binding: { jwk: JWK } };
    const answer = await post(service.url, '/keys/db/release', JSON.stringify(body), HEADERS);
    expect([answer.status, answer.body.code, answer.body.pointer]).toEqual([400, 'schema', '/attestationResults']);
    expect((await release({ nonce })).body.decision).toBe('allow');
  });
});

describe('a key that the attestation key certified', () => {
  /** Evidence holds the nonce alone, as before the key was known. */
  async function certified(certification: object | null): Promise<Answer> {
    const nonce = await challenge();
    const evidence = lab.vm.evidence({ nonce, endorsements: WITHOUT_ENDORSEMENTS });
    const token = issue(evidence.hclReport, boundValue(nonce, JWK), {});
    const body = {
      evidence: wireEvidence(evidence),
      nonce: Buffer.from(nonce).toString('base64url'),
      binding: { jwk: JWK, ...(certification === null ? {} : { certify: certification }) },
      attestationResults: [{ type: 'maa-token', token }],
    };
    return post(service.url, '/keys/db/release', JSON.stringify(body), HEADERS);
  }

  const certificationOf = (vm: VirtualMachine) => {
    const { info, signature, publicArea } = vm.vtpm.certify(JWK);
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    return { info: text(info), signature: text(signature), public: text(publicArea) };
  };

  it('is bound by that, where the evidence holds the nonce alone', async () => {
    const { body } = await certified(certificationOf(lab.vm));
    expect([body.decision, body.reasons]).toEqual(['allow', []]);
    expect(Buffer.from(unwrapReleasedKey(body.release.value, ephemeral))).toEqual(Buffer.from(material));
  });

  it('REL-01 is not bound without the certification', async () => {
    const { body } = await certified(null);
    expect([body.decision, body.release]).toEqual(['deny', null]);
    expect(body.reasons).toContain('nonce_mismatch');
  });

  it('REL-01 is not bound by that of another VM, and the check says where it is', async () => {
    const { body } = await certified(certificationOf(other));
    expect([body.decision, body.release]).toEqual(['deny', null]);
    const [check] = body.checks.filter(({ id }: { id: string }) => id === 'tpm_signature');
    expect(check.about).toBe('/binding/certify/signature');
  });

  it.each([
    ['of evidence without a vTPM', () => certificationOf(lab.vm), '/binding/certify'],
    ['that is no structure of a TPM', () => ({ ...certificationOf(lab.vm), info: 'AAAA' }), '/binding/certify/info'],
    ['that is no base64', () => ({ ...certificationOf(lab.vm), public: '*' }), '/binding/certify/public'],
  ])('REL-06 is malformed by a certification %s', async (what, certification, pointer) => {
    const bare = what.includes('without');
    const nonce = await challenge();
    const evidence = lab.vm.evidence({ nonce, endorsements: WITHOUT_ENDORSEMENTS });
    const report = lab.vm.platform.report({});
    const body = {
      evidence: bare ? { type: 'snp', report: Buffer.from(report).toString('base64url') } : wireEvidence(evidence),
      nonce: Buffer.from(nonce).toString('base64url'),
      binding: { jwk: JWK, certify: certification() },
      attestationResults: [{ type: 'maa-token', token: issue(evidence.hclReport, new Uint8Array(), {}) }],
    };
    const answer = await post(service.url, '/keys/db/release', JSON.stringify(body), HEADERS);
    expect([answer.status, answer.body.pointer]).toEqual([400, pointer]);
  });
});

async function challengeOf(by: RunningService): Promise<Uint8Array> {
  const { body } = await post(by.url, '/challenges', '{}', HEADERS);
  return Buffer.from(body.nonce, 'base64url');
}

describe('is refused before the vault is asked', () => {
  /** Each is refused, and leaves the vault alone. */
  async function refused(asked: Asked, code: string): Promise<void> {
    const before = posts();
    const { body } = await release(asked);
    expect([body.decision, body.release]).toEqual(['deny', null]);
    expect(body.reasons).toContain(code);
    expect(posts()).toBe(before);
  }

  it('REL-03 evidence of one VM with the token of another, compliant one', async () => {
    await refused({ tokenOf: other }, 'release_other_vm');
  });

  it('REL-03 a token from before the challenge', async () => {
    const early = (claims: JsonObject) => ({
      ...claims,
      iat: Number(claims['iat']) - 30,
      nbf: Number(claims['nbf']) - 30,
    });
    await refused({ making: { claims: early } }, 'release_token_stale');
  });

  it('REL-03 a second attempt with one challenge', async () => {
    const nonce = await challenge();
    expect((await release({ nonce })).body.decision).toBe('allow');
    await refused({ nonce }, 'nonce_used');
  });

  it('REL-03 a nonce that is no challenge', async () => {
    await refused({ nonce: randomBytes(32) }, 'release_warning');
  });

  it('REL-01 a token that has another key than the bound one', async () => {
    await refused({ jwk: OTHER_JWK }, 'release_key_unbound');
  });

  it.each([
    ['two keys that encrypt', [azureKey('one', ['encrypt'], JWK), azureKey('two', ['encrypt'], OTHER_JWK)]],
    ['none', []],
    ['HCLAkPub alone', [azureKey('HCLAkPub', ['encrypt'], JWK)]],
  ])('REL-01 a token with %s', async (_, keys) => {
    await refused({ making: withKeys(keys) }, 'release_key_unbound');
  });

  it('REL-01 a token with the keys of the paravisor in the place of its own', async () => {
    const fromHcl = (claims: JsonObject) => ({
      ...claims,
      'x-ms-runtime': objectOf(claims['x-ms-isolation-tee'])['x-ms-runtime'] ?? null,
    });
    await refused({ making: { claims: fromHcl } }, 'release_key_unbound');
  });

  it('a token that nobody signed, which says nothing', async () => {
    const [header = '', payload = ''] = issue(lab.vm.evidence().hclReport, new Uint8Array(), {}).split('.');
    await refused({ token: `${header}.${payload}.${'A'.repeat(342)}` }, 'token_signature');
  });
});

describe('REL-02 a vault that does not release', () => {
  it('refuses by permission: the answer says what to do', async () => {
    vaults.vault.denied.add('release');
    const { body } = await release();
    expect(verdict({ body } as Answer)).toEqual(['deny', ['release_refused'], null]);
    const [check] = body.checks.filter(({ id }: { id: string }) => id === 'release_refused');
    expect(check.remedy).toMatch(/release/);
    const { body: recorded } = await call(service.url, `/decisions/${body.decisionId}`, { headers: HEADERS });
    expect(recorded.release).toMatchObject({ state: 'refused', code: 'release_refused', keyVersion: null });
  });

  it('has the release of another key in its answer', async () => {
    vaults.vault.releaseMaking = { described: { kid: `https://${vaults.vault.host}/keys/other/${VERSION}` } };
    expect(verdict(await release())).toEqual(['deny', ['release_refused'], null]);
  });

  it('wraps to another key of the token than the bound one', async () => {
    vaults.vault.releaseMaking = {
      hsm: (hsm) => ({ ...hsm, header: { ...objectOf(hsm['header']), kid: 'HCLAkPub' } }),
    };
    expect(verdict(await release())).toEqual(['deny', ['release_refused'], null]);
  });

  it('is out of reach: nothing is tried twice, and the challenge is used up', async () => {
    vaults.vault.fail(RELEASE, { status: 503 });
    const before = posts();
    const nonce = await challenge();
    const { body } = await release({ nonce });
    expect(verdict({ body } as Answer)).toEqual(['indeterminate', ['release_unavailable'], null]);
    expect(body.retryable).toBe(false);
    expect(posts() - before).toBe(1);
    await vaults.vault.heal();
    expect((await release({ nonce })).body.reasons).toContain('nonce_used');
  });
});
