import { checkCommand } from '../../cli/check-command.js';
import { type NamedInput, UsageError } from '../../cli/input.js';
import { Notes } from '../../cli/output.js';
import { listPolicies, type PolicyActions, showPolicy } from '../../cli/policy-commands.js';
import type { LintProblem } from '../../core/lint-problem.js';
import { MAX_POLICY_BYTES, policyTextOptions } from '../../files/policy-file.js';
import { lintPolicyFile } from '../../policy/lint/lint.js';
import { readPolicySet } from '../../stores/policy-files.js';
import { policyTextAnswer } from '../../workbench/policy-texts.js';
import { SYSTEM_CLOCK } from '../system.js';
import { commandLineLog, configurationOf, outputOf, readInputs, write } from './command-line-io.js';
import { namedPolicy } from './named-policy.js';
import { policyPlaces } from './policy-places.js';
import { lintFacts, policySources } from './policy-sources.js';

/** Actions of `veritee policy`. They need no server, and write only files that an option names. */
export const policyCommands: PolicyActions = {
  lintPolicies: async (files, options) => {
    const facts = lintFacts(await configurationOf(options));
    const expected = 'a policy in YAML or JSON, or a folder of policies';
    const inputs = await readInputs(await policyPlaces(files), expected);
    return checkCommand(
      inputs.flatMap((input) => lintInput(input, facts)),
      outputOf(options),
    );
  },
  showPolicies: async (name, options) => {
    const configuration = await configurationOf(options);
    const { set } = await readPolicySet(policySources(configuration));
    const output = outputOf(options);
    if (name === undefined) return listPolicies(set.list().map(policyTextAnswer), output);
    return showPolicy(policyTextAnswer(await namedPolicy('policy show', name, set, configuration)), output);
  },
  learnPolicy: async (files, options) => {
    const { learnFromFiles } = await import('./policy-learn.js');
    const configuration = await configurationOf(options);
    const inputs = await readInputs(
      files,
      'a file with a /verify body, as veritee request makes it from a folder, or - for standard input',
    );
    const notes = new Notes();
    try {
      const tell = (line: string) => void process.stderr.write(`${line}\n`);
      return await learnFromFiles(inputs, options, configuration, notes, { write, tell });
    } finally {
      notes.release((text) => process.stderr.write(text));
    }
  },
  testPolicies: async (files, options) => {
    const { testPolicies } = await import('./policy-test.js');
    const output = outputOf(options);
    const notes = new Notes();
    const log = output.asTable ? notes : commandLineLog();
    try {
      return await testPolicies(files, options.junit ?? null, () => configurationOf(options), { output, log });
    } finally {
      notes.release((text) => process.stderr.write(text));
    }
  },
};

function lintInput({ name, bytes }: NamedInput, facts: ReturnType<typeof lintFacts>): readonly LintProblem[] {
  const options = { ...policyTextOptions(name), at: SYSTEM_CLOCK.now(), ...facts };
  return lintPolicyFile(name, textIn(name, bytes), options);
}

function textIn(name: string, bytes: Uint8Array): string {
  if (bytes.byteLength > MAX_POLICY_BYTES) throw new UsageError([`${name}: has more than ${MAX_POLICY_BYTES} bytes`]);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError([`${name}: is not UTF-8`], { cause });
  }
}
