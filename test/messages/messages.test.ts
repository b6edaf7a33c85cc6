import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_MISTAKES, messagesText } from '../../scripts/messages.js';
import { COMMAND_LINE_MISTAKES } from './command-line-mistakes.js';
import { ENVIRONMENT_MISTAKES } from './environment-mistakes.js';
import { HTTP_MISTAKES } from './http-mistakes.js';
import type { CommandMistake, DecisionAnswer, ProblemAnswer } from './mistake.js';
import { runCommand } from './run-command.js';
import { MessagesService } from './run-http.js';
import { YAML_MISTAKES } from './yaml-mistakes.js';

describe('over HTTP', () => {
  let service: MessagesService;

  beforeAll(async () => {
    service = await MessagesService.create();
  });

  afterAll(() => service.close());

  it.each(HTTP_MISTAKES)('$title', async ({ action, answer }) => {
    const { status, contentType, body } = await service.run(action);
    if ('decision' in answer) expect(decisionAnswer(status, body, answer)).toEqual(answer);
    else {
      expect(contentType).toMatch(/^application\/problem\+json/);
      expect(problemAnswer(body)).toEqual(answer);
      expect(status).toBe(answer.status);
    }
  });
});

/** The members that a mistake names, of a problem document. */
function problemAnswer({ status, code, pointer, detail }: ProblemAnswer): ProblemAnswer {
  return { status, code, ...(pointer === undefined ? {} : { pointer }), detail };
}

/** The members that a mistake names, of a decision. */
function decisionAnswer(
  status: number,
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire
  body: any,
  { check }: DecisionAnswer,
): unknown {
  expect(status).toBe(200);
  const found = body.checks.find(
    ({ id, result }: { id: string; result: string }) => id === check.id && result !== 'pass',
  );
  const members = Object.keys(check).map((name) => [name, found?.[name]]);
  return { decision: body.decision, check: Object.fromEntries(members) };
}

const COMMANDS: readonly (readonly [string, readonly CommandMistake[]])[] = [
  ['on the command line', COMMAND_LINE_MISTAKES],
  ['in YAML files', YAML_MISTAKES],
  ['in the environment', ENVIRONMENT_MISTAKES],
];

describe.each(COMMANDS)('%s', (_, mistakes) => {
  it.each(mistakes)('$title', async ({ action, answer }) => {
    const { exitCode, stdout, stderr } = await runCommand(action);
    expect({ exitCode, text: stderr.replace(/\n$/, '') }).toEqual(answer);
    expect(stdout).toBe('');
  });
});

describe('the table of mistakes', () => {
  it('has a line for each', () => {
    const lines = messagesText().match(/^\| (?!Mistake \|)/gm) ?? [];
    expect(lines.length).toBe(ALL_MISTAKES.length);
  });

  it('lists no mistake twice', () => {
    const titles = ALL_MISTAKES.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });
});
