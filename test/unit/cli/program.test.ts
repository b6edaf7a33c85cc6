import { describe, expect, it, vi } from 'vitest';
import { type Actions, runProgram } from '../../../src/cli/program.js';
import { ConfigurationError, FormatError } from '../../../src/model/errors.js';

const done = async () => 0;
const ACTIONS: Actions = {
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
  checkWiring: done,
};

/** Runs `veritee serve`, which fails with an error. */
async function failing(error: unknown): Promise<{ exitCode: number; said: string }> {
  let said = '';
  const serve = async () => {
    throw error;
  };
  const exitCode = await runProgram(['serve'], '1.0.0', { ...ACTIONS, serve }, (text) => {
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
      'unknown command "nothing"; there are serve, verify, inspect, request, collect, config, check, policy, endorsements\n',
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

describe('an option that is given twice', () => {
  async function run(...args: readonly string[]): Promise<{ exitCode: number; said: string; ran: number }> {
    let said = '';
    let ran = 0;
    const counted = async () => {
      ran += 1;
      return 0;
    };
    const actions = { ...ACTIONS, serve: counted, verify: counted, exportEndorsements: counted };
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
