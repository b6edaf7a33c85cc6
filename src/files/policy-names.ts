/** Files whose names start with a dot are those of editors and of Kubernetes. */
const POLICY_NAME = /^[^.].*\.(yaml|yml|json)$/;

const POLICY_TEST_NAME = /^([^.].*)\.test\.(?:yaml|yml|json)$/;

/** Whether a file in a policy directory is a policy, by its name. Tests of policies lie beside them. */
export function isPolicyName(name: string): boolean {
  return POLICY_NAME.test(name) && testedPolicy(name) === null;
}

/** Name of the policy that a file tests, without its ending; null for a file that is no test. */
export function testedPolicy(name: string): string | null {
  return POLICY_TEST_NAME.exec(name)?.[1] ?? null;
}
