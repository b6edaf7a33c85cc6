/** Test files of ten seconds and more, the longest first. */
export const LONGEST_FIRST: readonly string[] = [
  'test/messages/messages.test.ts',
  'test/integration/codes/remedies.test.ts',
  'test/integration/cli/decisions-command.test.ts',
  'test/integration/service/submissions.test.ts',
  'test/integration/service/receipt-vaults.test.ts',
  'test/integration/service/caller-cases.test.ts',
  'test/integration/service/freshness.test.ts',
  'test/adding-a-tee/adding-a-tee.test.ts',
  'test/robustness/real-tdx-flips.test.ts',
  'test/robustness/event-log-flips.test.ts',
];
