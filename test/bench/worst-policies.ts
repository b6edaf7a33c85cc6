import type { WorstInput } from './protocol.js';

/** As many rules, bytes of one rule and bytes of all rules as a policy that is sent may have. */
const [RULES, RULE_BYTES, ALL_BYTES] = [64, 2_048, 8 * 1_024];
/** Nodes of the parsed text of a rule; bytes and tokens of a policy text that a caller sends. */
const [NODES, TEXT_BYTES, TOKENS] = [512, 256 * 1_024, 4_000];

const REST = 'secureBoot: required, minimums: { snp: { Milan: { snp: 24, microcode: 219 } } }';

function policyOf(id: string, rules: readonly string[]): string {
  const listed = rules.map((cel, index) => `{ id: r${index}, cel: ${JSON.stringify(cel)} }`).join(', ');
  return `{ apiVersion: veritee/v1, id: ${id}, version: 1, accepts: [az-snp-vtpm], ${REST}, rules: [${listed}] }`;
}

/** As many rules of one text as a policy can have. */
function full(id: string, cel: string): string {
  return policyOf(id, Array(Math.min(RULES, Math.floor(ALL_BYTES / cel.length))).fill(cel));
}

/** A term as often as fits into a rule. @param nodes of the parsed text that each term adds */
function chain(term: string, joint: string, nodes: number, end = ''): string {
  const room = Math.floor((RULE_BYTES - end.length) / (term.length + joint.length));
  return Array(Math.min(room, Math.floor((NODES - 8) / nodes)))
    .fill(term)
    .join(joint)
    .concat(end);
}

/** Goes over a list that an event log has, for each item of which a chain is evaluated. */
const MACRO = `tpm.eventLog.replayed.all(x, ${chain('x<99', '&&', 4)})`;

/** Rules that load, and that take as many steps as the rules of one appraisal may. */
export const DEAREST_POLICY = full('dearest', MACRO);

const RULE_TEXTS: readonly (readonly [string, string])[] = [
  ['comparisons', chain('snp.vmpl==0', '&&', 5)],
  ['texts that no claim can be', chain("snp.measurement != 'a'", ' && ', 5)],
  ['negations', chain('!snp.policy.debug', '&&', 5)],
  ['a list', `snp.vmpl in [${Array.from({ length: 250 }, (_, index) => index).join(',')}]`],
  [
    'sums',
    Array(8)
      .fill(`snp.vmpl${'+1'.repeat(28)}==0`)
      .join('&&'),
  ],
  ['choices', `${'snp.vmpl==0?true:'.repeat(28)}false`],
  ['claims of tokens', Array.from({ length: 60 }, (_, index) => `maa.claims['a${index}']==1`).join('&&')],
  ['misspelt claims', chain('snp.vmpll==0', '&&', 5)],
  ['a macro', MACRO],
];

/** The beginning of a text, the repeated part, and its number of tokens. */
const TEXTS_OF_TOKENS: { readonly [name: string]: readonly [start: string, unit: string, tokens: number] } = {
  'closing brackets': ['', '}', 1],
  'brackets that do not match': ['{', ']', 1],
  'keys in keys': ['', `${'? '.repeat(31)}a\n`, 65],
  'lists in lists': ['', `${'- '.repeat(31)}a\n`, 65],
  tags: ['', '! ', 2],
  texts: ['', '"a" ', 3],
  'keys without commas': ['{', '"a" : "b" ? ', 9],
  directives: ['', '%a\n', 2],
};

const RELEASE_POLICIES: readonly (readonly [string, readonly object[]])[] = [
  ['one claim 300 times', Array.from({ length: 300 }, (_, index) => ({ claim: 'abc', greater: index }))],
  [
    'names that are not known',
    Array.from({ length: 300 }, (_, index) => ({
      claim: `x-ms-isolation-tee.${'sevsnpvm'.repeat(4)}${index}`,
      equals: 1,
    })),
  ],
  ['long names', Array.from({ length: 256 }, (_, index) => ({ claim: `${'a.'.repeat(240)}${index}`, equals: 1 }))],
];

/** A part that is found at no place, and nearly is at each. */
function searched(): object {
  const claims = { iss: 'a'.repeat(300_000), jti: `${'a'.repeat(75_000)}b${'a'.repeat(75_000)}` };
  const text = policyOf('searched', ['!maa.claims.iss.contains(maa.claims.jti)']).replace(
    'az-snp-vtpm]',
    'maa-token], routes: { hardware: off }',
  );
  return { text: text.replace(REST, 'minimums: any'), claims: { maa: { claims } } };
}

function releasePolicyOf(allOf: readonly object[]): string {
  return JSON.stringify({ version: '1.0.0', anyOf: [{ authority: 'https://sharedweu.weu.attest.azure.net', allOf }] });
}

/** Texts of policies that a caller has linted or tried, and the policy whose rules cost the most. */
export function policyInputs(genuine: string): readonly WorstInput[] {
  const lint = (name: string, text: string): WorstInput => ({
    name: `policy: ${name}, lint`,
    path: '/policies:lint',
    body: JSON.stringify({ text }),
  });
  const request = JSON.parse(genuine);
  const tried = { text: DEAREST_POLICY, evidence: request.evidence, nonce: request.nonce };
  const judged = JSON.stringify({ ...request, policy: 'dearest' });
  return [
    ...RULE_TEXTS.map(([name, cel]) => lint(`rules of ${name}`, full('linted', cel))),
    lint('256 KiB of one list', `[${'1,'.repeat((TEXT_BYTES - 16) / 2)}1]`),
    lint('256 KiB of one name', `${'x'.repeat(TEXT_BYTES - 16)}: 1`),
    lint('members', `{${Array.from({ length: TOKENS / 7 - 2 }, (_, index) => `m${index}: 1`).join(',')}}`),
    ...Object.entries(TEXTS_OF_TOKENS).map(([name, [start, unit, tokens]]) =>
      lint(`YAML: ${name}`, start + unit.repeat((TOKENS - 8) / tokens)),
    ),
    ...RELEASE_POLICIES.map(([name, conditions]) => lint(`release policy: ${name}`, releasePolicyOf(conditions))),
    { name: 'policy: a text in itself, evaluate', path: '/policies:evaluate', body: JSON.stringify(searched()) },
    { name: 'policy: the dearest rules, evaluate', path: '/policies:evaluate', body: JSON.stringify(tried) },
    { name: 'policy: the dearest rules', path: '/verify', body: judged },
    { name: 'policy: the dearest rules, explained', path: '/verify?explain=tree', body: judged },
  ];
}
