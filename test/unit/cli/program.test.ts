import { describe, expect, it, vi } from 'vitest';
import type { GateActions } from '../../../src/cli/gate-options.js';
import { type Actions, runProgram } from '../../../src/cli/program.js';
import { ConfigurationError, FormatError } from '../../../src/core/errors.js';

const done = async () => 0;
const NAMED = {
  serve: done,
  verify: done,
  inspect: done,
  request: done,
  collect: done,
  config: done,
  check: done,
  lintPolicies: done,
  showPolicies: done,
  learnPolicy: done,
  testPolicies: done,
  exportEndorsements: done,
  importEndorsements: done,
  listDecisions: done,
  showDecision: done,
  verifyDecisions: done,
  exportDecisions: done,
  backUpDecisions: done,
  importDecisions: done,
  pruneDecisions: done,
  replay: done,
  diffPolicies: done,
  migrateStores: done,
  gate: done,
  checkWiring: done,
};

/** @param own actions in the place of those that do nothing */
function actionsWith(own: Partial<typeof NAMED | { readonly gate: GateActions['gate'] }>): Actions {
  const load = async () => ({ ...NAMED, ...own });
  return {
    service: load,
    evidence: load,
    guest: load,
    policies: load,
    endorsements: load,
    decisions: load,
    replays: load,
    stores: load,
    gate: load,
  };
}

const ACTIONS = actionsWith({});

/** Runs `veritee serve`, which fails with an error. */
async function failing(error: unknown): Promise<{ exitCode: number; said: string }> {
  let said = '';
  const serve = async () => {
    throw error;
  };
  const exitCode = await runProgram(['serve'], '1.0.0', actionsWith({ serve }), (text) => {
    said += text;
  });
  return { exitCode, said };
}

/** As node makes the errors of the system. */
function systemError(members: object): Error {
  return Object.assign(new Error('refused'), members);
}

describe('what a command ends with', () => {
  it.each<[string, unknown]>([
    ['a malformed request', new FormatError('schema', 'x')],
    ['a wrong configuration', new ConfigurationError(['x'])],
    ['a file that is not there', systemError({ syscall: 'open', path: '/x' })],
    ['a folder where a file is due', systemError({ syscall: 'read', code: 'EISDIR' })],
    ['a port that is taken', systemError({ syscall: 'listen' })],
    ['a host that nobody knows', systemError({ syscall: 'getaddrinfo', hostname: 'x' })],
  ])('1 for %s', async (_title, error) => {
    expect((await failing(error)).exitCode).toBe(1);
  });

  it.each<[string, unknown]>([
    ['a fault', new TypeError('x')],
    ['a connection that broke', systemError({ syscall: 'read', code: 'ECONNRESET' })],
    ['something thrown that is no error', 'x'],
  ])('3 for %s', async (_title, error) => {
    expect((await failing(error)).exitCode).toBe(3);
  });

  it('says nothing that a terminal would obey', async () => {
    const { said } = await failing(new FormatError('unknown_property', 'unknown member', { pointer: '/\u001b[2J' }));
    expect(said).toBe('unknown_property: unknown member (at /\\u001b[2J)\n');
  });
});

describe('help', () => {
  it.each([
    ['help'],
    ['help', 'verify'],
    ['endorsements', 'help', 'export'],
    ['help', 'endorsements', 'export'],
    ['help', 'endorsements'],
  ])('is no unknown command: %s %s', async (...args) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    let said = '';
    const exitCode = await runProgram(args, '1.0.0', ACTIONS, (text) => {
      said += text;
    });
    const shown = write.mock.calls.join('');
    write.mockRestore();
    expect([exitCode, said]).toEqual([0, '']);
    expect(shown).toContain(`Usage: veritee ${args.filter((arg) => arg !== 'help').join(' ')}`.trimEnd());
  });
});

describe('the help of verify', () => {
  it('says that a gate has to choose policy and nonce itself', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await runProgram(['verify', '--help'], '1.0.0', ACTIONS, () => {});
    const shown = write.mock.calls.join('');
    write.mockRestore();
    expect(shown).toMatch(/A script that gates by the exit code must pass --policy and --nonce: .*\n$/);
    expect(shown).toContain('or - for standard input');
  });
});

describe('the help of inspect', () => {
  it('says what values of registers look like, and how two boots are compared', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await runProgram(['inspect', '--help'], '1.0.0', ACTIONS, () => {});
    const shown = write.mock.calls.join('');
    write.mockRestore();
    expect(shown).toContain('768 bytes, or JSON: {"sha256": {"7": "hex of 32 bytes"}}');
    expect(shown).toContain('inspect --compare BEFORE AFTER takes event logs, quotes, reports, tokens, evidence');
  });
});

describe('help for what there is not', () => {
  it.each<[readonly string[], string]>([
    [
      ['help', 'nothing'],
      'unknown command "nothing"; there are serve, verify, inspect, request, collect, config, check, policy, endorsements, decisions, replay, stores, gate\n',
    ],
    [['help', 'verfy'], 'unknown command "verfy"; did you mean verify?\n'],
    [['help', 'endorsements', 'exprt'], 'unknown command "exprt"; did you mean export?\n'],
    [['help', 'verify', 'body'], 'unknown command "body": this command has no subcommands\n'],
  ])('names it: %j', async (args, expected) => {
    let said = '';
    const exitCode = await runProgram(args, '1.0.0', ACTIONS, (text) => {
      said += text;
    });
    expect([exitCode, said]).toEqual([1, expected]);
  });
});

describe('a mistake in a command', () => {
  it.each<[string, readonly string[], string]>([
    ['a command that there is not', ['verfy', 'a.json'], 'unknown command "verfy"; did you mean verify?\n'],
    [
      'one with options, which are then unknown too',
      ['verfy', 'a.json', '--policy', 'x'],
      'unknown command "verfy"; did you mean verify?\n',
    ],
    [
      'one below another, with an option of the one that is meant',
      ['policy', 'lnt', 'a.yaml', '--json'],
      'unknown command "lnt"; did you mean lint?\n',
    ],
    [
      'one with an option that resembles one above it',
      ['attest', '--versio'],
      'unknown command "attest"; there are serve, verify, inspect, request, collect, config, check, policy, endorsements, decisions, replay, stores, gate\n',
    ],
    [
      'an option before every command',
      ['--jsn', 'verify'],
      "error: unknown option '--jsn'\n(There are --version, --check-wiring)\n",
    ],
    [
      'an option of a command that has none',
      ['policy', '--json'],
      "error: unknown option '--json'\n(There are none)\n",
    ],
    [
      'an option that is the name of a command',
      ['decisions', '--list'],
      "error: unknown option '--list'\n(Did you mean veritee decisions list?)\n",
    ],
    [
      'an option with a value that is the name of a command',
      ['--replay=x'],
      "error: unknown option '--replay=x'\n(Did you mean veritee replay?)\n",
    ],
    [
      'an option that resembles one',
      ['policy', 'lint', 'a', '--jsn'],
      "error: unknown option '--jsn'\n(Did you mean --json?)\n",
    ],
    [
      'an option that resembles none',
      ['policy', 'test', '--bogus'],
      "error: unknown option '--bogus'\n(There are --junit, --config, --json)\n",
    ],
    [
      'an option that turns something off',
      ['collect', '--nonce', 'x', '--bogus'],
      "error: unknown option '--bogus'\n(There are --nonce, --output, --pcrs, --bind, --ak-certificate, --ak-chain, --no-event-log)\n",
    ],
    [
      'an argument that is missing',
      ['policy', 'lint'],
      "error: missing required argument 'file'\n(Usage: veritee policy lint [options] <file...>)\n",
    ],
    [
      'an argument too many',
      ['policy', 'show', 'a', 'b'],
      "error: too many arguments for 'show'. Expected 1 argument but got 2.\n(Usage: veritee policy show [options] [id or file])\n",
    ],
    ['a value that is missing', ['policy', 'test', '--junit'], "error: option '--junit <file>' argument missing\n"],
    [
      'a command whose name a terminal would obey',
      ['\u001b[2J', '--json'],
      'unknown command (name withheld); there are serve, verify, inspect, request, collect, config, check, policy, endorsements, decisions, replay, stores, gate\n',
    ],
  ])('is said, and ends with 1: %s', async (_title, args, expected) => {
    const said: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    const exitCode = await runProgram(args, '1.0.0', ACTIONS, (text) => void said.push(text));
    write.mockRestore();
    expect([exitCode, said.join('')]).toEqual([1, expected]);
  });
});

const GROUPS: readonly (readonly string[])[] = [[], ['policy'], ['endorsements']];

describe('commands that have others below them', () => {
  it.each(GROUPS)('show their help on standard error, and end with 1: %s', async (...args) => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const exitCode = await runProgram(args, '1.0.0', ACTIONS, () => {});
    const shown = write.mock.calls.join('');
    write.mockRestore();
    expect(exitCode).toBe(1);
    expect(shown).toContain(`Usage: ${['veritee', ...args].join(' ')} [options] [command]`);
  });
});

describe('a value that looks like an option', () => {
  it.each(['-VyGn4c4G0RXypzN6NLQwBm91HacVr2XxUSJnk9Rh8RP', '--nonce', '-h', '-o', '-ofile'])(
    'is a nonce: %s',
    async (nonce) => {
      const request = vi.fn(async () => 0);
      expect(
        await runProgram(['request', 'folder', '--nonce', nonce], '1.0.0', actionsWith({ request }), () => {}),
      ).toBe(0);
      expect(request).toHaveBeenCalledWith('folder', expect.objectContaining({ nonce }), expect.anything());
    },
  );
});

describe('an option that is given twice', () => {
  async function run(...args: readonly string[]): Promise<{ exitCode: number; said: string; ran: number }> {
    let said = '';
    let ran = 0;
    const counted = async () => {
      ran += 1;
      return 0;
    };
    const actions = actionsWith({ serve: counted, verify: counted, exportEndorsements: counted });
    const exitCode = await runProgram(args, '1.0.0', actions, (text) => {
      said += text;
    });
    return { exitCode, said, ran };
  }

  it.each<[string, readonly string[]]>([
    ['--policy', ['verify', 'a', '--policy', 'x', '--policy', 'y']],
    ['--policy', ['verify', 'a', '--policy=x', '--policy', 'x']],
    ['--nonce', ['verify', 'a', '--nonce', 'x', '--at', 'z', '--nonce', 'y']],
    ['--at', ['verify', '--at', 'x', 'a', '--at', 'y']],
    ['--json', ['verify', 'a', '--json', '--json']],
    ['--config', ['serve', '--config', 'a', '--config', 'b']],
    ['--config', ['endorsements', 'export', 'a', '--config', 'a', '--config', 'b']],
  ])('is refused: %s of %j', async (option, args) => {
    const said = `${option} is given twice: leave one out\n`;
    expect(await run(...args)).toEqual({ exitCode: 1, said, ran: 0 });
  });

  it('twin: --report takes as many as there are, in one list or several', async () => {
    expect(await run('endorsements', 'export', 'a', '--report', 'b', 'c', '--report', 'd')).toEqual({
      exitCode: 0,
      said: '',
      ran: 1,
    });
  });
});

describe('the gate', () => {
  const NEEDED = ['gate', '--url', 'https://veritee.example', '--audience', 'https://gate.example'];

  async function run(...args: readonly string[]) {
    const called: unknown[] = [];
    const said: string[] = [];
    const gate: GateActions['gate'] = async (command, options) => {
      called.push([command, options]);
      if (command[0] === 'fails') throw new ConfigurationError(['x']);
      if (command[0] === 'is missing') throw new Error('The program of --exec does not run.');
      return 9;
    };
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    const exitCode = await runProgram(args, '1.0.0', actionsWith({ gate }), (text) => void said.push(text));
    write.mockRestore();
    return { exitCode, called, said: said.join('') };
  }

  it('takes policies and types as often as they are given, and all behind -- as the command', async () => {
    const lists = ['--policy', 'a', '--evidence-type', 'snp', '--policy', 'b'];
    const { exitCode, called } = await run(...NEEDED, ...lists, '--exec', '--', 'run', '--json', '--', '--url', 'x');
    expect(exitCode).toBe(9);
    expect(called).toEqual([
      [
        ['run', '--json', '--', '--url', 'x'],
        {
          url: 'https://veritee.example',
          audience: 'https://gate.example',
          policy: ['a', 'b'],
          evidenceType: ['snp'],
          tenant: 'default',
          timeout: '60',
          exec: true,
        },
      ],
    ]);
  });

  it.each([
    ['an option that is missing', ['gate'], "error: required option '--url <url>' not specified\n"],
    ['an empty policy', [...NEEDED, '--policy', ''], 'It is empty.'],
    ['an option twice', [...NEEDED, '--url', 'https://other.example'], '--url is given twice: leave one out\n'],
    ['what the gate says', [...NEEDED, 'fails'], 'x\n'],
  ])('GAT-01 ends with 1 for %s, and with 125 where a command was to run', async (_what, args, expected) => {
    const plain = await run(...args);
    expect([plain.exitCode, plain.said]).toEqual([1, expect.stringContaining(expected)]);
    // A program called --exec behind -- is no option.
    expect((await run(...args, '--', '--exec')).exitCode).toBe(1);
    expect((await run('gate', '--exec', ...args.slice(1), '--', 'run')).exitCode).toBe(125);
  });

  const BESIDE_EXEC = [
    ['gate', '--exec', '--help'],
    ['gate', '--exec', '-h', '--', 'run'],
    ['gate', '--help', '--exec', '--', 'run'],
    ['gate', '--exec', 'run', '--help'],
    ['gate', '--exec=true', '--help'],
    ['gate', '--exec', '--version', '--', 'run'],
    ['--version', 'gate', '--exec', '--', 'run'],
    ['--help', 'gate', '--exec', '--', 'run'],
    ['--check-wiring', '-h', 'gate', '--exec', '--', 'run'],
  ];

  it.each(BESIDE_EXEC)('GAT-01 ends with 125 for %s %s %s %s', async (...args) => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { exitCode, called, said } = await run(...args.filter((arg) => arg !== undefined));
    write.mockRestore();
    expect([exitCode, called]).toEqual([125, []]);
    expect(said).toContain('--help and --version do not go together with --exec: the command did not run');
  });

  it('GAT-01 ends with 125 where the command cannot be started', async () => {
    const { exitCode, said } = await run(...NEEDED, '--exec', '--', 'is missing');
    expect([exitCode, said]).toEqual([125, 'The program of --exec does not run.\n']);
  });

  it('GAT-01 ends with 125 for a value of --exec, and for an option that is a dry run elsewhere', async () => {
    expect((await run(...NEEDED, '--exec=true', '--', 'run')).exitCode).toBe(125);
    expect((await run(...NEEDED, '--exec', '--dry-run', '--', 'run')).exitCode).toBe(125);
    expect((await run(...NEEDED, '--exec', '--json=x', '--', 'run')).exitCode).toBe(125);
  });

  it('GAT-01 runs with --check-wiring too, which does not stand for it', async () => {
    const { exitCode, called } = await run('--check-wiring', ...NEEDED, '--exec', '--', 'run');
    expect([exitCode, called.length]).toEqual([9, 1]);
  });

  it('shows its help without --exec, which is no failure', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { exitCode } = await run('gate', '--help');
    const behind = await run('gate', '--help', '--', 'run', '--exec');
    const shown = write.mock.calls.join('');
    write.mockRestore();
    expect([exitCode, behind.exitCode]).toEqual([0, 0]);
    expect(shown).toContain('or 125 where the gate itself did not let it run.');
  });
});
