import { describe, expect, it } from 'vitest';
import { GATE_PATH, parseGateTarget, routedTarget } from '../../../src/http/gate-target.js';

const PATH = expect.objectContaining({ name: 'GateRefusal', code: 'gate_path' });

describe('the target of a request at a gate', () => {
  it.each([
    ['/authorize/web', 'web', null],
    ['/authorize/web?to=/../x', 'web', null],
    ['/authorize/web/', 'web', '/'],
    ['/authorize/web/a/b.c/', 'web', '/a/b.c/'],
    ['/authorize/a.b-c_D/x?q=//%2f', 'a.b-c_D', '/x'],
    ["/authorize/web/~u/%C3%A4;v=1,2/@:!$&'()*+=", 'web', "/~u/%C3%A4;v=1,2/@:!$&'()*+="],
    ['/authorize/web/...', 'web', '/...'],
  ])('%s', (target, gate, path) => {
    expect(parseGateTarget(target)).toEqual({ gate, path });
  });

  it.each([
    '/authorize',
    '/authorize/',
    '/authorize?gate=web',
    '/authorize//web',
    '//authorize/web',
    'http://veritee.example/authorize/web',
    '/Authorize/web',
    '/%61uthorize/web',
    '/authorize/w%65b',
    '/authorize/.web',
    `/authorize/${'w'.repeat(65)}`,
    '/authorize/web#x',
    '/authorize/web/x#y',
  ])('GAT-02 names no gate: %s', (target) => {
    expect(() => parseGateTarget(target)).toThrow(PATH);
  });

  it.each([
    '/..',
    '/../other/x',
    '/.',
    '/a/../b',
    '/a/./b',
    '/a/..',
    '/a/..;/b',
    '/a/.;x=1/b',
    '/a/..%3b/b',
    '/a/.%3Bx=1',
    '/%2e%2e/b',
    '/a%2Eb',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '//a',
    '/a//b',
    '/a//',
    '/a%00',
    '/a%0d%0aX:y',
    '/a%1f',
    '/a%1B',
    '/a%7f',
    '/a%',
    '/a%zz',
    '/a%4',
    '/ä',
    '/a b',
    '/a"b',
    '/a|b',
  ])('GAT-02 has a path of more than one reading: %s', (path) => {
    expect(() => parseGateTarget(`/authorize/web${path}`)).toThrow(PATH);
  });
});

describe('the router', () => {
  it.each([
    '/authorize',
    '/authorize/web/%zz',
    '/authorize?x',
    '//authorize/web',
    'http://veritee.example/authorize/web',
    'HTTPS://veritee.example//AUTHORIZE#x',
  ])('is not given %s to read', (target) => {
    expect(routedTarget(target)).toBe(GATE_PATH);
  });

  it.each(['/', '/verify', '/authorized', '/x/authorize/web', '/policies/authorize', '*', '', 'http://a/?/authorize/'])(
    'twin: reads %j itself',
    (target) => {
      expect(routedTarget(target)).toBe(target);
    },
  );
});
