import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readInput } from '../../../src/app/commands/command-line-io.js';
import { gateCommand } from '../../../src/cli/gate-command.js';
import type { GateOptions } from '../../../src/cli/gate-options.js';
import {
  AUDIENCE,
  BOUND_JKT,
  CLAIMS,
  ISSUER,
  KEY_SET,
  NONCE,
  NOW,
  OTHER_KEY,
  OTHER_NONCE,
  receiptWith,
  SHA256,
} from '../relying-party/sample-receipt.js';
import { KeptOutput } from './kept-output.js';

const EVIDENCE = { evidence: { type: 'az-snp-vtpm' } };
const ALLOW = { decision: 'allow', historical: false, receipt: receiptWith() };
const API_KEY = 'k'.repeat(43);

/** A program that copies a file to standard output, and one that writes what it was told. */
const COLLECT = '#!/bin/sh\necho "$VERITEE_NONCE $VERITEE_API_KEY none" > "$0.ran"\ncat "$0.json"\n';
const RELEASE =
  '#!/bin/sh\necho "$1 $VERITEE_NONCE $VERITEE_DECISION_ID $VERITEE_API_KEY none $KEPT" > "$0.ran"\nprintf %s "$VERITEE_RECEIPT" > "$0.receipt"\nexit 7\n';

let folder: string;
let sent: { readonly url: string; readonly body: unknown; readonly headers: unknown }[];

const path = (name: string) => join(folder, name);
const wasRun = (name: string) => readFile(path(`${name}.ran`), 'utf8').catch(() => null);

beforeEach(async () => {
  sent = [];
  folder = await mkdtemp(join(tmpdir(), 'veritee-gate-'));
  await script('collect', COLLECT);
  await script('release', RELEASE);
  await writeFile(path('collect.json'), JSON.stringify(EVIDENCE));
  await writeFile(
    path('body.json'),
    JSON.stringify({ ...EVIDENCE, nonce: 'theirs', policy: 'lenient', audience: 'x' }),
  );
});

afterEach(() => rm(folder, { recursive: true }));

async function script(name: string, text: string): Promise<string> {
  await writeFile(path(name), text);
  await chmod(path(name), 0o700);
  return path(name);
}

type Answer = () => Response | Promise<Response>;
const json = (body: unknown, status = 200, type = 'application/json'): Answer => {
  return () => new Response(JSON.stringify(body), { status, headers: { 'content-type': type } });
};

/** The answers of the service, by path. */
interface Service {
  readonly challenges?: Answer;
  readonly verify?: Answer;
  readonly jwks?: Answer;
}

function fetchOf({ challenges, verify, jwks }: Service): typeof globalThis.fetch {
  return (async (url: string, init: RequestInit) => {
    const body = init.body === undefined ? null : JSON.parse(String(init.body));
    sent.push({ url, body, headers: init.headers });
    if (url.endsWith('/challenges')) return (challenges ?? json({ nonce: NONCE, expiresAt: '2026-01-15T12:05:00Z' }))();
    if (url.endsWith('/verify')) return (verify ?? json(ALLOW))();
    return (jwks ?? json(KEY_SET, 200, 'application/jwk-set+json'))();
  }) as typeof globalThis.fetch;
}

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly command?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  readonly asTable?: boolean;
  readonly signal?: AbortSignal;
}

const OPTIONS: GateOptions = {
  url: ISSUER,
  audience: AUDIENCE,
  policy: [`payments@sha256:${SHA256}`],
  evidenceType: ['az-snp-vtpm'],
  tenant: 'default',
  timeout: '60',
};

/** Runs a gate whose evidence is in a file, unless the options name a program. */
async function gate(
  options: Partial<GateOptions> = {},
  service: Service = {},
  { command = [], environment = {}, asTable = false, signal = new AbortController().signal }: Surroundings = {},
): Promise<Ended> {
  const output = new KeptOutput(asTable);
  let stderr = '';
  const source = 'collect' in options ? {} : { evidence: path('body.json'), nonce: NONCE };
  const world = {
    environment: { PATH: process.env['PATH'], ...environment },
    clock: () => NOW,
    monotonicMs: () => performance.now(),
    fetch: fetchOf(service),
    readInput,
    signal,
  };
  const exitCode = await gateCommand(command, { ...OPTIONS, ...source, ...options }, world, {
    asTable,
    inColour: false,
    write: output.write,
    complain: (text) => {
      stderr += text;
    },
  });
  return { exitCode, stdout: output.text, stderr };
}

const exec = (options: Partial<GateOptions> = {}, service: Service = {}, others: Surroundings = {}) =>
  gate({ exec: true, ...options }, service, { command: [path('release'), 'a b'], ...others });

describe('a gate that is answered with an allow', () => {
  it('ends with 0, and says what the receipt says, but not the receipt', async () => {
    const { exitCode, stdout, stderr } = await gate();
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      allowed: true,
      code: null,
      decision: 'allow',
      decisionId: CLAIMS.jti,
      receipt: { issuer: ISSUER, audience: AUDIENCE, evidence: { type: 'az-snp-vtpm' } },
    });
    expect(stdout).not.toContain(ALLOW.receipt);
  });

  it('is a table on a terminal', async () => {
    const { exitCode, stdout } = await gate({}, {}, { asTable: true });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^allow {2}The receipt is an allow for this gate\.\n/);
    expect(stdout).toContain(`  policy    payments@sha256:${SHA256}\n`);
  });

  it('says itself for whom, by what and for which nonce the evidence is judged', async () => {
    await gate({}, {}, { environment: { VERITEE_API_KEY: API_KEY } });
    expect(sent[0]).toMatchObject({
      url: `${ISSUER}/verify`,
      body: { ...EVIDENCE, nonce: NONCE, policy: ['payments'], audience: AUDIENCE },
      headers: { authorization: `Bearer ${API_KEY}` },
    });
  });

  it('asks for a challenge, and has a program collect the evidence for it, which gets no key', async () => {
    const { exitCode } = await gate({ collect: path('collect') }, {}, { environment: { VERITEE_API_KEY: API_KEY } });
    expect(exitCode).toBe(0);
    expect(await wasRun('collect')).toBe(`${NONCE}  none\n`);
    expect(sent.map(({ url, body }) => [url, body]).slice(0, 2)).toEqual([
      [`${ISSUER}/challenges`, { audience: AUDIENCE, policy: 'payments', evidenceType: 'az-snp-vtpm' }],
      [`${ISSUER}/verify`, { ...EVIDENCE, nonce: NONCE, policy: ['payments'], audience: AUDIENCE }],
    ]);
  });

  it('asks for a challenge of no single policy or type where there are several', async () => {
    const several = { policy: ['a', 'b'], evidenceType: ['snp', 'tdx'] };
    await gate({ collect: path('collect'), ...several });
    expect(sent[0]?.body).toEqual({ audience: AUDIENCE });
  });

  it('runs the command with the receipt and without the key, and ends as it does', async () => {
    const environment = { VERITEE_API_KEY: API_KEY, VERITEE_RECEIPT: 'of another', KEPT: 'kept' };
    expect(await exec({ json: true }, {}, { environment })).toEqual({ exitCode: 7, stdout: '', stderr: '' });
    expect(await wasRun('release')).toBe(`a b ${NONCE} ${CLAIMS.jti}  none kept\n`);
    expect(await readFile(path('release.receipt'), 'utf8')).toBe(ALLOW.receipt);
  });

  it.each([
    ['TERM', 143],
    ['KILL', 137],
    ['HUP', 129],
    ['SYS', 159],
  ])('ends with 128 and the number of the signal that ended the command: %s', async (signal, expected) => {
    const command = [await script('killed', `#!/bin/sh\nkill -${signal} $$\n`)];
    expect((await exec({}, {}, { command })).exitCode).toBe(expected);
  });

  it('ends with 0 where the command does', async () => {
    expect((await exec({}, {}, { command: ['true'] })).exitCode).toBe(0);
    expect((await exec({}, {}, { command: ['false'] })).exitCode).toBe(1);
  });

  it('passes signals on to the command', async () => {
    const command = [
      await script('signalled', '#!/bin/sh\ntrap "exit 9" HUP\nkill -HUP $PPID\nwhile :; do sleep 0.05; done\n'),
    ];
    expect((await exec({}, {}, { command })).exitCode).toBe(9);
  });

  it('takes the key set from a file, and then asks nobody else for it', async () => {
    await writeFile(path('jwks.json'), JSON.stringify(KEY_SET));
    const jwks = path('jwks.json');
    expect((await gate({ jwks, issuer: ISSUER, url: 'https://ask.example/under/' })).exitCode).toBe(0);
    expect(sent.map(({ url }) => url)).toEqual(['https://ask.example/under/verify']);
  });

  it('takes the key from a file before that of the environment', async () => {
    await writeFile(path('key'), `${API_KEY}\n`);
    await gate({ apiKeyFile: path('key') }, {}, { environment: { VERITEE_API_KEY: 'other' } });
    expect(sent[0]?.headers).toMatchObject({ authorization: `Bearer ${API_KEY}` });
  });

  it('sends no key where the variable is empty', async () => {
    await gate({}, {}, { environment: { VERITEE_API_KEY: '' } });
    expect(sent[0]?.headers).not.toHaveProperty('authorization');
  });

  it.each(['required', BOUND_JKT])('demands a bound key: %s', async (boundKey) => {
    expect((await gate({ boundKey })).exitCode).toBe(0);
  });
});

const problem = (status: number, code: string) => json({ code, detail: 'why' }, status, 'application/problem+json');
const claims = (members: object): Service => ({ verify: json({ ...ALLOW, receipt: receiptWith(members) }) });
const answer = (members: object): Service => ({ verify: json({ ...ALLOW, ...members }) });
const CHECK = { id: 'snp_debug', result: 'fail', detail: 'debug', remedy: 'Turn it off.' };

/** The behaviour of the service, the message of the gate, and the exit code. */
const NO_ALLOWS: readonly (readonly [what: string, code: string, exitCode: number, service: Service])[] = [
  ['denies', 'deny', 2, answer({ decision: 'deny', reasons: ['snp_debug'], checks: [CHECK], decisionId: 'x' })],
  ['cannot tell', 'indeterminate', 3, answer({ decision: 'indeterminate', retryable: true })],
  ['decides about the past', 'historical', 2, answer({ historical: true })],
  ['does not say that it decides about now', 'historical', 2, answer({ historical: undefined })],
  ['says Allow', 'answer_invalid', 3, answer({ decision: 'Allow' })],
  [
    'denies, and says allow elsewhere',
    'deny',
    2,
    answer({ decision: 'deny', policies: [{ outcome: 'allow' }], x: { decision: 'allow' } }),
  ],
  ['says nothing of a decision', 'answer_invalid', 3, { verify: json({}) }],
  ['answers 500', 'internal_error', 3, { verify: problem(500, 'internal_error') }],
  ['answers 500 in HTML', 'status_unexpected', 3, { verify: () => new Response('<html>', { status: 500 }) }],
  ['answers 201 with an allow', 'status_unexpected', 3, { verify: json(ALLOW, 201) }],
  ['answers 200 without a body', 'no_answer', 3, { verify: () => new Response(null) }],
  [
    'answers HTML',
    'no_answer',
    3,
    { verify: () => new Response('<p>allow', { headers: { 'content-type': 'text/html' } }) },
  ],
  ['answers an allow that is text by its type', 'no_answer', 3, { verify: json(ALLOW, 200, 'text/plain') }],
  [
    'answers what is no JSON',
    'answer_invalid',
    3,
    { verify: () => new Response('{', { headers: { 'content-type': 'application/json' } }) },
  ],
  ['answers a list', 'answer_invalid', 3, { verify: json([ALLOW]) }],
  ['does not answer', 'no_answer', 3, { verify: () => Promise.reject(new TypeError('fetch failed')) }],
  ['sheds load', 'overloaded', 3, { verify: problem(429, 'overloaded') }],
  ['does not know the key', 'unauthorized', 1, { verify: problem(401, 'unauthorized') }],
  ['does not let this caller', 'forbidden', 1, { verify: problem(403, 'forbidden') }],
  ['finds the body malformed', 'schema', 1, { verify: problem(400, 'schema') }],
  ['sends no receipt', 'receipt_form', 3, answer({ receipt: null })],
  ['sends no member for a receipt', 'receipt_form', 3, answer({ receipt: undefined })],
  ['sends a receipt in a list', 'receipt_form', 3, answer({ receipt: [receiptWith()] })],
  ['sends half a receipt', 'receipt_form', 3, answer({ receipt: 'e30.e30' })],
  ['signs with another key', 'receipt_signature', 3, answer({ receipt: receiptWith({}, undefined, OTHER_KEY) })],
  ['has a key set without the key', 'receipt_key', 3, { jwks: json({ keys: [{ kid: 'two' }] }) }],
  ['has no key set', 'receipt_keys_unavailable', 3, { jwks: () => new Response('', { status: 404 }) }],
  ['has another issuer', 'receipt_issuer', 3, claims({ iss: 'https://other.example' })],
  ['sends a receipt for somebody else', 'receipt_audience', 3, claims({ aud: 'https://other.example' })],
  ['sends the receipt of another request', 'receipt_nonce', 3, claims({ eat_nonce: OTHER_NONCE })],
  ['sends an old receipt', 'receipt_time', 3, claims({ exp: CLAIMS.iat + 1 })],
  [
    'repeats an answer of more than a minute ago',
    'receipt_time',
    3,
    claims({ iat: CLAIMS.iat - 1, nbf: CLAIMS.nbf - 1, exp: CLAIMS.exp - 1 }),
  ],
  [
    'sends a receipt for a weaker policy',
    'receipt_policy',
    3,
    claims({ sub: 'default:lenient', policies: [{ id: 'lenient', sha256: SHA256 }] }),
  ],
  [
    'has another text of the policy',
    'receipt_policy',
    3,
    claims({ policies: [{ id: 'payments', sha256: 'cd'.repeat(32) }] }),
  ],
  ['sends a receipt for other evidence', 'receipt_evidence_type', 3, claims({ evidence: { type: 'tpm' } })],
  ['sends a receipt that says Allow', 'receipt_decision', 3, claims({ decision: 'Allow' })],
  ['sends another profile', 'receipt_profile', 3, claims({ eat_profile: 'x' })],
];

describe('a gate whose service', () => {
  it.each(NO_ALLOWS)('GAT-01 DEC-08 %s lets nothing through: %s', async (_what, code, exitCode, service) => {
    const ended = await gate({}, service);
    expect([ended.exitCode, JSON.parse(ended.stdout)]).toMatchObject([
      exitCode,
      { allowed: false, code, receipt: null },
    ]);
    expect(ended.stderr).toContain(`no allow (${code})`);
  });

  it.each(NO_ALLOWS)('GAT-01 REC-01 %s does not let the command run: %s', async (_what, code, _exitCode, service) => {
    const { exitCode, stdout, stderr } = await exec({}, service);
    expect([exitCode, stdout, await wasRun('release')]).toEqual([125, '', null]);
    expect(stderr).toContain(`no allow (${code})`);
  });

  it('has another text of the policy is told with both digests', async () => {
    const policies = [{ id: 'payments', sha256: 'cd'.repeat(32) }];
    const { stderr } = await exec({ policy: [`payments@sha256:${SHA256}`] }, claims({ policies }));
    expect(stderr).toContain(`are "payments@sha256:${'cd'.repeat(32)}", not exactly "payments@sha256:${SHA256}".`);
  });

  it('GAT-01 hangs is not waited for longer than said', async () => {
    const { exitCode, stderr } = await exec({ timeout: '1' }, { verify: () => new Promise(() => {}) });
    expect([exitCode, await wasRun('release')]).toEqual([125, null]);
    expect(stderr).toMatch(/no allow \(no_answer\).*no whole answer within/);
  });

  it('GAT-01 sends a body without end is not read to it', async () => {
    const endless = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(1024 * 1024)) });
    const verify = () => new Response(endless, { headers: { 'content-type': 'application/json' } });
    expect((await exec({}, { verify })).stderr).toContain('the answer has over');
    expect(await wasRun('release')).toBeNull();
  });

  it.each([
    ['no challenge', json({})],
    ['a challenge that a shell would obey', json({ nonce: '$(reboot)$(reboot)', expiresAt: 'x' })],
    ['a challenge with bits left over', json({ nonce: `${NONCE.slice(0, -1)}F`, expiresAt: 'x' })],
    ['a challenge that is too short', json({ nonce: 'AAAA', expiresAt: 'x' })],
  ])('GAT-01 gives out %s has no program collect for it', async (_what, challenges) => {
    const { exitCode, stdout } = await gate({ collect: path('collect') }, { challenges });
    expect([exitCode, JSON.parse(stdout).code]).toEqual([3, 'answer_invalid']);
    expect(await wasRun('collect')).toBeNull();
  });

  it('binds no key is refused where one is demanded', async () => {
    const bound = await exec({ boundKey: 'required' }, claims({ cnf: undefined }));
    expect(bound.stderr).toContain('no allow (receipt_binding)');
    expect((await exec({ boundKey: 'A'.repeat(43) })).stderr).toContain('no allow (receipt_binding)');
    expect(await wasRun('release')).toBeNull();
  });

  it('denies is told with the checks and what to do, and nothing that a terminal would obey', async () => {
    const denied = answer({
      decision: 'deny',
      decisionId: 'id\u001b[2J',
      retryable: true,
      reasons: ['snp_debug'],
      checks: [CHECK, { id: 'nonce_stale', result: 'warn' }, { id: 'x', result: 'pass' }],
    });
    const { exitCode, stdout, stderr } = await gate({}, denied, { asTable: true });
    expect([exitCode, stderr]).toEqual([2, '']);
    expect(stdout.split('\n')).toEqual([
      'no allow (deny)  The decision is deny: snp_debug.',
      '  decision  id\\u001b[2J',
      '  fail  snp_debug: debug',
      '    Turn it off.',
      '  warn  nonce_stale: ',
      '  The same request may later be judged otherwise.',
      '',
    ]);
  });
});

describe('the log of a pipeline', () => {
  const command = '##vso[task.setvariable variable=PATH]x';

  it('is given no command that the answer of the service has', async () => {
    const checks = [{ id: 'a', result: 'fail', detail: `#${command}`, remedy: '::set-output name=a::b' }];
    const denied = answer({ decision: 'deny', decisionId: command, checks });
    const { stdout, stderr } = await gate({}, denied);
    expect(stdout + stderr).not.toContain('##');
    expect(stderr.split('\n').filter((line) => /^\s*::/.test(line))).toEqual([]);
    expect(stderr).toContain('    \\u003a:set-output name=a::b\n');
    // Read as JSON it is what the service said.
    expect(JSON.parse(stdout)).toMatchObject({ decisionId: command, checks });
  });

  it('is given no command that the program of --collect writes', async () => {
    const text = `printf '%s\\r%s\\n%s' '${command}' '::add-mask::x' ' ::echo::on' >&2\nprintf '%9000s' '#' >&2\n`;
    const collect = await script('commands', `#!/bin/sh\n${text}cat '${path('collect.json')}'\n`);
    const { exitCode, stderr } = await gate({ collect });
    expect(exitCode).toBe(0);
    const [first, second, third] = stderr.split('\n');
    expect([first, second]).toEqual(['#\\u0023vso[task.setvariable variable=PATH]x', '\\u003a:add-mask::x']);
    expect(third).toMatch(/^ \\u003a:echo::on +#?$/);
  });

  it('does not wait for what holds standard error open', async () => {
    const text = `sleep 5 >/dev/null &\ncat '${path('collect.json')}'\n`;
    const { exitCode } = await gate({ collect: await script('leaves', `#!/bin/sh\n${text}`), timeout: '4' });
    expect(exitCode).toBe(0);
  });
});

describe('a gate whose program of --collect', () => {
  it.each([
    ['fails', 'exit 3', 'ended with 3'],
    ['is killed', 'kill -KILL $$', 'ended with SIGKILL'],
    ['writes without end', 'yes', 'wrote more than'],
    ['takes too long', 'sleep 600', 'took too long'],
  ])('GAT-01 %s lets nothing through', async (_what, text, said) => {
    const collect = await script('bad', `#!/bin/sh\n${text}\n`);
    // Each of the others has time enough, on a busy machine too.
    const { exitCode, stderr } = await exec({ collect, timeout: said === 'took too long' ? '1' : '60' });
    expect([exitCode, await wasRun('release')]).toEqual([125, null]);
    expect(stderr).toContain('no allow (program_failed)');
    expect(stderr).toContain(said);
  });

  it('GAT-01 cannot be started lets nothing through', async () => {
    const plain = path('plain');
    await writeFile(plain, '');
    const missing = await gate({ collect: path('missing') });
    expect([missing.exitCode, missing.stderr]).toEqual([3, expect.stringContaining('there is no such program')]);
    expect((await gate({ collect: plain })).stderr).toContain('may not run it');
    expect((await gate({ collect: `${plain}/below` })).stderr).toContain('cannot be started (ENOTDIR)');
  });

  it('prints what is no body is named', async () => {
    await writeFile(path('collect.json'), 'no JSON');
    await expect(gate({ collect: path('collect') })).rejects.toThrow('what --collect printed: is not one JSON object');
  });

  it('is ended at once where the signal came before', async () => {
    const collect = await script('slow', '#!/bin/sh\nsleep 600\n');
    const { exitCode, stderr } = await exec({ collect }, {}, { signal: AbortSignal.abort('SIGTERM') });
    expect([exitCode, stderr]).toEqual([125, expect.stringContaining('was ended by a signal to the gate')]);
  });

  it('is ended by a signal, and nothing runs then', async () => {
    const controller = new AbortController();
    const collect = await script('signals', '#!/bin/sh\ntouch "$0.ran"\nsleep 600\n');
    const running = exec({ collect }, {}, { signal: controller.signal });
    while ((await wasRun('signals')) === null) await new Promise((next) => setTimeout(next, 5));
    controller.abort('SIGTERM');
    expect((await running).exitCode).toBe(125);
    expect(await wasRun('release')).toBeNull();
  });
});

describe('a signal before the answer', () => {
  it('is the end of a gate without a command', async () => {
    await expect(gate({}, {}, { signal: AbortSignal.abort('SIGTERM') })).rejects.toBe('SIGTERM');
  });

  it('is 125 beside --exec whatever else is wrong, and no code of the signal', async () => {
    const aborted = { signal: AbortSignal.abort('SIGTERM') };
    const ended = await exec({ jwks: path('missing') }, {}, aborted);
    expect([ended.exitCode, ended.stderr]).toEqual([125, expect.stringContaining('there is no such file')]);
    await writeFile(path('body.json'), 'no JSON');
    expect((await exec({}, {}, aborted)).exitCode).toBe(125);
    expect(await wasRun('release')).toBeNull();
  });

  it('that comes with the last answer keeps the command from running', async () => {
    const controller = new AbortController();
    const jwks = () => {
      controller.abort('SIGTERM');
      return json(KEY_SET)();
    };
    expect((await exec({}, { jwks }, { signal: controller.signal })).exitCode).toBe(125);
    expect(await wasRun('release')).toBeNull();
  });
});

describe('a gate whose command', () => {
  it('cannot be started is a failure of the gate', async () => {
    await expect(exec({}, {}, { command: [path('missing')] })).rejects.toThrow(
      'The program of --exec does not run: there is no such program.',
    );
    await expect(exec({}, {}, { command: [path('release/below')] })).rejects.toThrow('cannot be started (ENOTDIR)');
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });
});

describe('what is wrong with the options is said, and nobody is asked', () => {
  it.each<[string, Partial<GateOptions>]>([
    ['--url is not an https URL', { url: 'http://veritee.example' }],
    ['--url is no URL', { url: 'veritee.example' }],
    ['--issuer is not an https URL', { issuer: 'urn:x' }],
    ['--policy is missing', { policy: [] }],
    ['--policy: expected the id', { policy: ['payments@sha256:12'] }],
    ['policies names an id twice', { policy: ['a', 'a'] }],
    ['--evidence-type is missing', { evidenceType: [] }],
    ['name where the evidence comes from', { evidence: undefined as never, nonce: undefined as never }],
    ['--evidence and --collect', { evidence: 'a', collect: 'b' }],
    ['--nonce and --collect', { nonce: NONCE, collect: 'b' }],
    ['--collect: is empty', { collect: '' }],
    ['--evidence needs --nonce', { nonce: undefined as never }],
    ['--nonce: is not base64url', { nonce: 'x' }],
    ['--bound-key: expected', { boundKey: 'yes' }],
    ['--timeout: expected', { timeout: '0' }],
    ['--timeout: expected', { timeout: '1e2' }],
    ['--exec: no command', { exec: true }],
    ['audience begins with urn:veritee:', { audience: 'urn:veritee:not-allowed' }],
    ['there is no such file', { jwks: 'missing' }],
    ['there is no such file', { apiKeyFile: 'missing' }],
  ])('%s: %j', async (said, options) => {
    await expect(gate(options)).rejects.toMatchObject({ name: 'UsageError', message: expect.stringContaining(said) });
    expect(sent).toEqual([]);
  });

  it('a command without --exec', async () => {
    await expect(gate({}, {}, { command: ['a'] })).rejects.toThrow('a command, and no --exec');
  });

  it('a key with a space in it, which is not repeated', async () => {
    const refused = gate({}, {}, { environment: { VERITEE_API_KEY: 'a secret' } });
    await expect(refused).rejects.toThrow(/^VERITEE_API_KEY: is no API key; expected one line without spaces$/);
  });

  it('a key set that is none', async () => {
    await writeFile(path('jwks.json'), '{"keys": []}');
    await expect(gate({ jwks: path('jwks.json') })).rejects.toThrow('this JWK Set has no key');
  });

  it('GAT-01 a body that turns back the clock', async () => {
    await writeFile(path('body.json'), JSON.stringify({ ...EVIDENCE, at: '2020-01-01T00:00:00Z' }));
    await expect(exec()).rejects.toThrow('at_not_enabled');
    expect([sent, await wasRun('release')]).toEqual([[], null]);
  });
});
