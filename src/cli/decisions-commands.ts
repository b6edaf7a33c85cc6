import type { Command } from 'commander';
import { addGroup, CONFIG, type Handlers, JSON_TOO } from './command-group.js';

const LIST_HELP = `
Newest first, those of all tenants unless one is named. A withdrawn decision was stored too late: its answer said
audit_unavailable.`;

const SHOW_HELP = `
A record has no remedies and no receipt; identifiers of a machine are digests. veritee decisions verify detects changes of
records.`;

const VERIFY_HELP = `
<file> is an export, or a copy that decisions.copy wrote; without it, the store of the configuration is verified.
Kept heads are lines of the service's log with the member head, among others or not, or the heads themselves, one a line.
Keys are a JWK Set, as /.well-known/jwks.json has it. Without --keys, receipts.key, next and previous of the configuration
count, or, where receipts.key is ephemeral, the keys that the log itself names. The exit code is 0 if nothing is wrong, 1 usage, a store that is
not there, or a file that is no whole export, 2 if something is wrong, 3 if the store cannot be read.`;

const PRUNE_HELP = `
Drops salt and content of all decisions before <time>, regardless of decisions.retentionDays. Hashes stay. A service may
be running. A signed record names the dropped content: receipts.key of the configuration signs it. The exit code is
0 if all was dropped, 1 usage or a store that is not there, 3 if the store cannot be written or the key cannot sign.`;

const EXPORT_HELP = `
A service may write to the store meanwhile: the export has the log as of its beginning.`;

const BACKUP_HELP = `
For a SQLite store. A service may write to it meanwhile. The copy is the store as it was when the command began, without its
challenges, which are void after a restore. Do not copy the file of a store by other means: such a copy may lack records that
are in the files beside it. <file> must not exist. The exit code is 0 if it was written, 1 usage or a
store that is not there, 3 if the store cannot be read.`;

const IMPORT_HELP = `
All of <file> is verified first. Then the chains that the store lacks are appended, all of them or nothing. Chains that the
store has with the same records are skipped. If the store has other or fewer records of a chain, nothing is appended.
Without --keys, heads are verified with the keys that <file> itself names: the author of the file may own these keys. The
exit code is 0 if it was imported, 1 usage or a file that is no whole export, 2 if something is wrong, 3 if the store cannot
be written.`;

const REPLAY_HELP = `
Only decisions with kept evidence (decisions.keepEvidence: full) can be replayed. A replay uses the recorded request,
policies, endorsements and tokens, at the time of the decision, with the verifiers of this version. The exit code is 0 if
all results are as recorded, 1 usage, 2 if one differs, 3 if one could not be replayed, or none was. Decisions that depended
on the moment (deadline, internal_error) are skipped.`;

/** Options of all commands about decisions. */
interface LogOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export interface ListDecisionsOptions extends LogOptions {
  readonly policy?: string;
  readonly decision?: string;
  readonly since?: string;
  readonly tenant?: string;
  readonly limit?: string;
}

export interface VerifyDecisionsOptions extends LogOptions {
  readonly heads?: string;
  readonly keys?: string;
}

export interface ExportDecisionsOptions {
  readonly config?: string;
  readonly out?: string;
}

export interface PruneDecisionsOptions extends LogOptions {
  readonly before: string;
}

/** The commands about recorded decisions. Each returns the exit code. */
export interface DecisionsActions {
  listDecisions(options: ListDecisionsOptions): Promise<number>;
  showDecision(decisionId: string, options: LogOptions): Promise<number>;
  verifyDecisions(file: string | undefined, options: VerifyDecisionsOptions): Promise<number>;
  exportDecisions(options: ExportDecisionsOptions): Promise<number>;
  backUpDecisions(file: string, options: Pick<LogOptions, 'config'>): Promise<number>;
  importDecisions(file: string, options: VerifyDecisionsOptions): Promise<number>;
  pruneDecisions(options: PruneDecisionsOptions): Promise<number>;
}

export interface ReplayOptions {
  readonly since?: string;
  readonly tenant?: string;
  readonly policy?: string;
  readonly now?: boolean;
  readonly config?: string;
  readonly json?: boolean;
}

export interface ReplayActions {
  replay(decisionId: string | undefined, options: ReplayOptions): Promise<number>;
}

const HEADS = ['--heads <file>', 'heads that were kept, such as the log of the service'] as const;
const KEYS = ['--keys <file>', 'keys that heads may be signed with'] as const;

/** Adds `veritee decisions`. */
export function addDecisionsCommands(program: Command, run: Handlers<DecisionsActions>): void {
  const what = 'list, show, verify, export, back up, import and prune recorded decisions';
  const decisions = addGroup(program, 'decisions', what);
  addShownDecisions(decisions, run);
  addVerify(decisions, run);
  addCopies(decisions, run);
  addImport(decisions, run);
  decisions
    .command('prune')
    .description('drop content of old decisions')
    .requiredOption('--before <time>', 'decisions that are dated before, RFC 3339 in UTC')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', PRUNE_HELP)
    .action(run('pruneDecisions'));
}

function addShownDecisions(decisions: Command, run: Handlers<DecisionsActions>): void {
  decisions
    .command('list')
    .description('list decisions that were recorded')
    .option('--policy <id>', 'only those under this policy')
    .option('--decision <outcome>', 'only these: allow, deny or indeterminate')
    .option('--since <time>', 'only those from this time on, RFC 3339 in UTC')
    .option('--tenant <name>', 'only those of this tenant')
    .option('--limit <number>', 'how many at most (default: 50)')
    .option(...CONFIG)
    .option('--json', 'write JSON lines on a terminal too')
    .addHelpText('after', LIST_HELP)
    .action(run('listDecisions'));
  decisions
    .command('show')
    .description('show a decision as it was recorded, with its place in the log')
    .argument('<id>', 'id of the decision')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', SHOW_HELP)
    .action(run('showDecision'));
}

function addVerify(decisions: Command, run: Handlers<DecisionsActions>): void {
  decisions
    .command('verify')
    .description('verify the whole log; exit code 0 if nothing is wrong, 2 if something is')
    .argument('[file]', 'an export to verify in the place of the store, or - for standard input')
    .option(...HEADS)
    .option(...KEYS)
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', VERIFY_HELP)
    .action(run('verifyDecisions'));
}

function addCopies(decisions: Command, run: Handlers<DecisionsActions>): void {
  decisions
    .command('export')
    .description('write the whole log as JSON lines')
    .option('--out <file>', 'file to write, which only its owner can read (default: standard output)')
    .option(...CONFIG)
    .addHelpText('after', EXPORT_HELP)
    .action(run('exportDecisions'));
  decisions
    .command('backup')
    .description('write a copy of the store, without its challenges')
    .argument('<file>', 'file to write, which only its owner can read')
    .option(...CONFIG)
    .addHelpText('after', BACKUP_HELP)
    .action(run('backUpDecisions'));
}

function addImport(decisions: Command, run: Handlers<DecisionsActions>): void {
  decisions
    .command('import')
    .description('append the log of another store; exit code 2 if something is wrong with it')
    .argument('<file>', 'an export, or - for standard input')
    .option(...HEADS)
    .option(...KEYS)
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', IMPORT_HELP)
    .action(run('importDecisions'));
}

/** Adds `veritee replay`. */
export function addReplayCommand(program: Command, run: Handlers<ReplayActions>): void {
  program
    .command('replay')
    .description('verify recorded decisions again, and show those that differ')
    .argument('[id]', 'one decision; without it, those of --since')
    .option('--since <time>', 'all decisions from this time on, RFC 3339 in UTC')
    .option('--tenant <name>', 'only those of this tenant')
    .option('--policy <id or file>', 'appraise decisions of the policy with this id by this text')
    .option('--now', 'use the present policies, endorsements and time')
    .option(...CONFIG)
    .option(...JSON_TOO)
    .addHelpText('after', REPLAY_HELP)
    .action(run('replay'));
}
