import { azureScenarios, azureTdScenarios, tpmScenarios } from './azure-scenarios.js';
import { type Scenario, snpMachines, snpScenarios, tdPlatforms, tdScenarios } from './bare-scenarios.js';
import { type Asked, type Body, inspectBody, verifyBody, withoutEach } from './body.js';
import { LAB_AT, type Lab, LAB_NONCE as nonce, OTHER_NONCE } from './lab.js';

const EVERY = ['permissive', 'careful', 'strict', 'of-lists', 'waived', 'ended', 'azure-cvm-baseline'];

export async function labBodies(lab: Lab): Promise<readonly Body[]> {
  const families: readonly (readonly [type: string, scenarios: readonly Scenario[], more: readonly string[]])[] = [
    ['snp', [...snpScenarios(lab), ...snpMachines(lab)], ['strict-bare']],
    ['tdx', [...tdScenarios(lab), ...tdPlatforms(lab)], ['strict-bare']],
    ['az-snp-vtpm', await azureScenarios(lab), ['challenged']],
    ['az-tdx-vtpm', await azureTdScenarios(lab), ['challenged']],
    ['tpm', await tpmScenarios(lab), ['vtpm']],
  ];
  return families.flatMap(([type, scenarios, more]) => [
    ...scenarios.flatMap((scenario) => bodiesOf(type, scenario, [...EVERY, ...more])),
    ...aroundGenuine(lab, type, scenarios[0] ?? ['', {}]),
  ]);
}

function asked(type: string, [name, evidence]: Scenario): Asked {
  const at = LAB_AT.toISOString();
  return { name, kind: `lab ${type}`, service: 'lab', at, nonce, evidence: () => evidence };
}

function bodiesOf(type: string, scenario: Scenario, policies: readonly string[]): readonly Body[] {
  const base = asked(type, scenario);
  return [...policies.map((policy) => verifyBody({ ...base, policy })), inspectBody(base)];
}

/** Wrong requests about genuine evidence, and the same evidence judged now. */
function aroundGenuine({ vmNow }: Lab, type: string, genuine: Scenario): readonly Body[] {
  const [, evidence] = genuine;
  const base = asked(type, genuine);
  const named = (name: string, change: Partial<Asked>) =>
    verifyBody({ ...base, policy: 'permissive', ...change, name: `${type} ${name}` });
  const lists = [
    ['permissive', 'careful'],
    ['careful', 'strict', 'azure-cvm-baseline'],
    ['strict', 'strict-bare', 'of-lists', 'waived', 'ended', 'challenged', 'permissive', 'routes'],
    ['permissive', 'tokens'],
    ['routes', 'strict-routes'],
  ];
  const wrongNonces = [null, OTHER_NONCE, new Uint8Array(8), new Uint8Array(64), Buffer.from('veritee1 and more')];
  return [
    ...lists.map((policy) => named('under several', { policy })),
    ...lists.map((policy) => named('under several', { policy, nonce: null, query: '?checks=all' })),
    ...wrongNonces.flatMap((wrong, index) =>
      EVERY.map((policy) => named(`with wrong nonce ${index}`, { nonce: wrong, policy })),
    ),
    ...withoutEach(evidence).flatMap(([path, rest]) =>
      ['permissive', 'careful'].map((policy) => named(`without ${path}`, { evidence: () => rest, policy })),
    ),
    ...EVERY.map((policy) => named('now', { at: null, policy })),
    ...(type === 'az-snp-vtpm'
      ? EVERY.map((policy) => named('of today', { at: null, policy, evidence: () => vmNow.wireEvidence({ nonce }) }))
      : []),
    ...['routes', 'strict-routes', 'vtpm', 'tokens'].map((policy) => named('without token', { policy })),
  ];
}
