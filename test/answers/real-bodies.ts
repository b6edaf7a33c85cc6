import type { JsonObject } from '../../src/core/json.js';
import type { ReadFile } from '../real-evidence.js';
import { applyRecipe, type Recipe, readVector, recipes, vector, vectors } from '../vectors.js';
import { type Asked, type Body, base64Url, flipped, inspectBody, positions, verifyBody, withoutEach } from './body.js';
import { type Real, realOf, realSets } from './real-sets.js';

const POLICIES = ['permissive', 'careful', 'strict', 'strict-bare', 'of-lists', 'waived', 'ended', 'challenged'];
const ROUTES = ['routes', 'strict-routes', 'vtpm', 'azure-cvm-baseline'];
const TOKEN_POLICIES = ['tokens', 'strict-tokens', 'azure-maa-baseline', 'permissive'];
const FEW = ['permissive', 'careful', 'azure-cvm-baseline'];
/** Sets whose bytes are changed one by one: one of each type. */
const FLIPPED = [
  'snp-milan-v3-b0',
  'tdx-v4-b0c06f',
  'az-snp-milan-hcl1-b',
  'az-tdx-v4-akchain-2026',
  'maa-azurevm-snp-weu-2022',
  'ita-sgx-dev-2023',
];
const STRIDE = 7;
/** Of files that are long, or that many others are like. */
const LONG_STRIDES: readonly (readonly [ending: string, stride: number])[] = [
  ['.json', 161],
  ['.pem', 49],
  ['ccel-data.bin', 91],
];

/** Real evidence, its mutations, and single changed bytes of it. */
export function realBodies(seed: number): readonly Body[] {
  const reals = [...realSets().values()];
  return [
    ...reals.flatMap(wholeBodies),
    ...reals.filter(isHardware).flatMap(variedBodies),
    ...negativeBodies(),
    ...FLIPPED.flatMap((id) => flippedBodies(realOf(id), seed)),
    ...dialectBodies(),
    ...eventLogBodies(),
  ];
}

const isHardware = ({ type }: Real) => !type.endsWith('-token');
const policiesOf = (real: Real) => (isHardware(real) ? [...POLICIES, ...ROUTES] : TOKEN_POLICIES);

function asked(real: Real, kind: string, name = real.id): Asked {
  const { at, nonce } = real;
  return { name, kind, service: 'real', at, nonce, evidence: () => real.evidence(readVector) };
}

/** Evidence as it is, under each policy and several at once, in each setting. */
function wholeBodies(real: Real): readonly Body[] {
  const base = asked(real, `real ${real.type}`);
  const policies = policiesOf(real);
  return [
    ...policies.map((policy) => verifyBody({ ...base, policy })),
    ...policies.map((policy) => verifyBody({ ...base, policy, name: `${base.name} without nonce`, nonce: null })),
    ...policies.map((policy) => verifyBody({ ...base, policy, service: 'bare' })),
    ...[policies.slice(0, 2), policies.slice(0, 8), policies.toReversed().slice(0, 3)].map((policy) =>
      verifyBody({ ...base, policy, query: '?checks=all' }),
    ),
    verifyBody({ ...base, policy: ['permissive', 'permissive'] }),
    verifyBody({ ...base, policy: 'nobody-knows-it' }),
    verifyBody(base),
    ...['?checks=all', '?enforce=true', '?checks=some'].map((query) =>
      verifyBody({ ...base, policy: policies[0] ?? '', query }),
    ),
    inspectBody(base),
  ];
}

/** Faults around genuine evidence. */
function variedBodies(real: Real): readonly Body[] {
  const base = { ...asked(real, `varied ${real.type}`), policy: 'permissive' };
  const year = 365 * 24 * 60 * 60 * 1000;
  const shifted = (by: number) => new Date(Date.parse(real.at) + by).toISOString();
  const other = Uint8Array.from(real.nonce ?? new Uint8Array(32), (byte) => byte ^ 0x55);
  const jwk = { kty: 'RSA', n: Buffer.alloc(256, 0xe7).toString('base64url'), e: 'AQAB' };
  const token = Buffer.from(readVector('maa-jwt/maa-azurevm-snp-weu-2022.jwt')).toString('utf8').trim();
  const named = (name: string, change: Partial<Asked>) =>
    verifyBody({ ...base, ...change, name: `${real.id} ${name}` });
  return [
    ...[-5, -1, 1].map((years) => named(`${years} years later`, { at: shifted(years * year), policy: 'careful' })),
    named('in the future', { at: '2999-01-01T00:00:00Z' }),
    named('at no instant', { at: 'yesterday' }),
    named('with another nonce', { nonce: other }),
    named('with a short nonce', { nonce: new Uint8Array(4) }),
    named('with a key', { members: () => ({ binding: { jwk } }), policy: 'strict' }),
    named('with a token of another TEE', { members: () => ({ attestationResults: [{ type: 'maa-token', token }] }) }),
    named('with an audience', { members: () => ({ audience: 'https://gate.example' }) }),
    named('with an unknown member', { members: () => ({ surplus: true }) }),
    ...['snp', 'tdx', 'az-snp-vtpm', 'az-tdx-vtpm', 'tpm', 'maa-token', 'sgx'].map((type) =>
      named(`as ${type}`, { evidence: () => ({ ...base.evidence(), type }) }),
    ),
    ...withoutEach(base.evidence()).flatMap(([path, evidence]) =>
      ['permissive', 'careful'].map((policy) => named(`without ${path}`, { evidence: () => evidence, policy })),
    ),
    ...['milan-6', 'genoa-4'].flatMap((crl) => crlBodies(real, base, crl)),
  ];
}

/** With a CRL that the request brings, where the service has its own and where it has none. */
function crlBodies({ id }: Real, base: Asked, crl: string): readonly Body[] {
  const evidence = () => {
    const { endorsements = {}, ...rest } = base.evidence();
    const crls = [base64Url(readVector(`amd-crl/${crl}.crl`))];
    const chain = Buffer.from(readVector(`roots/amd-${crl.replace(/-.*/, '')}-vcek.pem`)).toString('utf8');
    return { ...rest, endorsements: { ...(endorsements as JsonObject), crls, chain } };
  };
  return (['real', 'bare'] as const).map((service) =>
    verifyBody({ ...base, service, evidence, name: `${id} with chain and ${crl}`, policy: 'careful' }),
  );
}

/** Every recipe, as the tests of each family apply it. */
function negativeBodies(): readonly Body[] {
  const all = recipes('snp', 'tdx', 'collateral', 'az-snp-vtpm', 'az-tdx-vtpm', 'maa-jwt', 'ita-jwt', 'akv-policy');
  return all.flatMap((recipe) => {
    const real = realOf(setOf(recipe));
    const at = recipe.op === 'clock' ? (recipe.verifyAt ?? real.at) : real.at;
    const evidence = () => real.evidence(readUnder(recipe));
    const base = { ...asked(real, `negative ${real.type}`, `${recipe.id} ${recipe.base}`), at, evidence };
    // A key set is the service's own: the setting without folders has another one.
    const service = recipe.file?.endsWith('.jwks.json') === true ? 'bare' : 'real';
    const policies = isHardware(real) ? [...FEW, 'strict'] : TOKEN_POLICIES;
    return [...policies.map((policy) => verifyBody({ ...base, service, policy })), inspectBody(base)];
  });
}

function setOf({ base }: Recipe): string {
  const { family, id } = vector(base);
  if (family !== 'collateral') return id;
  const found = vectors('tdx').find(({ expect }) => {
    return expect.facts.collateral?.from === id && expect.verdict === 'verifies';
  });
  return found?.id ?? '';
}

/** Collateral is replaced as a whole: the recipe names what takes its place, and not which file of the quote's. */
function readUnder(recipe: Recipe): ReadFile {
  const { op, file, with: other = '' } = recipe;
  const replaces = op === 'replaceFile' && other.startsWith('collateral/');
  return (name) =>
    replaces && name.startsWith('collateral/') && name !== file ? readVector(other) : applyRecipe(recipe, name);
}

function flippedBodies(real: Real, seed: number): readonly Body[] {
  const base = { ...asked(real, `flipped ${real.type}`), policy: isHardware(real) ? 'permissive' : 'tokens' };
  return real.files.filter(isSent).flatMap((file) => {
    const stride = LONG_STRIDES.find(([ending]) => file.endsWith(ending))?.[1] ?? STRIDE;
    return positions(readVector(file).byteLength, stride, seed).map((position) => {
      const read: ReadFile = (name) => (name === file ? flipped(readVector(name), position) : readVector(name));
      return verifyBody({ ...base, name: `${file} byte ${position}`, evidence: () => real.evidence(read) });
    });
  });
}

/** Key sets, runtime data by itself and ACPI tables are in no request. */
const isSent = (file: string) => !/(jwks\.json|runtime-data\.json|evidence\.json|ccel-table\.bin)$/.test(file);

/** Evidence of guests in the field, and real structures in the shapes of others. */
function dialectBodies(): readonly Body[] {
  const sent = vectors('az-snp-vtpm', 'az-tdx-vtpm').flatMap(({ id, family, files }) =>
    files
      .filter((file) => file.endsWith('.evidence.json'))
      .map((file) => ({ id, type: family, dialect: 'trustee', value: JSON.parse(textOf(file)) as JsonObject })),
  );
  const kernel = vectors('snp', 'tdx').map(({ id, family, files: [file = ''] }) => {
    return { id, type: family, dialect: 'configfs-tsm', value: { outblob: base64Url(readVector(file)) } };
  });
  return [...sent, ...kernel].flatMap(({ id, ...evidence }) => {
    const { at, nonce } = realOf(id);
    const name = `${id} as ${evidence.dialect}`;
    const base: Asked = { name, kind: 'dialect', service: 'real', at, nonce, evidence: () => evidence };
    const wrong = { ...evidence, dialect: 'maa' };
    return [
      ...FEW.map((policy) => verifyBody({ ...base, policy })),
      verifyBody({ ...base, name: `${id} as maa`, evidence: () => wrong, policy: 'permissive' }),
      inspectBody(base),
    ];
  });
}

/** Event logs, and their mutations, beside a quote; most are of other machines. */
function eventLogBodies(): readonly Body[] {
  const real = realOf('tdx-v4-with-ccel');
  const logs = vectors('tpm-eventlog').map(({ id, files: [file = ''] }) => [id, readVector(file)] as const);
  const changed = recipes('tpm-eventlog', 'tdx').flatMap((recipe) => {
    const { id, file = '' } = recipe;
    return /eventlog|ccel/.test(file) ? [[id, applyRecipe(recipe, file)] as const] : [];
  });
  return [...logs, ...changed].flatMap(([id, log]) => {
    const evidence = () => ({ ...real.evidence(readVector), ccel: base64Url(log) });
    const base = { ...asked(real, 'event log', `${id} beside ${real.id}`), evidence };
    return [...FEW.map((policy) => verifyBody({ ...base, policy })), inspectBody(base)];
  });
}

const textOf = (file: string) => Buffer.from(readVector(file)).toString('utf8');
