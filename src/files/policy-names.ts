/** Files with a leading dot belong to editors and Kubernetes. */
const POLICY_NAME = /^[^.].*\.(yaml|yml|json)$/;

const POLICY_TEST_NAME = /^([^.].*)\.test\.(?:yaml|yml|json)$/;

/** Whether a file in a policy directory is a policy, by its name. Tests of policies are in the same directory. */
export function isPolicyName(name: string): boolean {
  return POLICY_NAME.test(name) && testedPolicy(name) === null;
}

/** Name of the policy that a test file belongs to, without its ending; null for other files. */
export function testedPolicy(name: string): string | null {
  return POLICY_TEST_NAME.exec(name)?.[1] ?? null;
}
