import { describe, expect, it } from 'vitest';
import { answersIn, call, exchange, post } from './exchange.js';
import { ALLOW, fakeServices, oneCaller, VERIFY_BODY } from './fake-service.js';

const start = fakeServices();

describe('load shedding', () => {
  it('refuses what neither runs nor may wait, and answers all that was admitted', async () => {
    const service = await start({ slots: { running: 2, waiting: 1 } });
    let release: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived: () => void = () => {};
    const bothRun = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    service.verifyEvidence.answer = async () => {
      if (service.verifyEvidence.asked.length === 2) arrived();
      await gate;
      return ALLOW;
    };
    const verify = () => post(service.url, '/verify', VERIFY_BODY);
    const running = [verify(), verify()];
    await bothRun;
    // Of these three one may wait; which one is up to the sockets.
    const others = [verify(), verify(), verify()];
    const refused = await Promise.race(others);
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'overloaded', '1']);
    expect((await call(service.url, '/livez')).status).toBe(200);
    release();
    const statuses = (await Promise.all([...running, ...others])).map((answer) => answer.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(3);
    expect(statuses.filter((status) => status === 503)).toHaveLength(2);
    expect(service.verifyEvidence.asked).toHaveLength(3);
  });

  it.each(['/verify', '/keys/disk/release'])(
    'refuses %s without reading its body while there is no room',
    async (path) => {
      const callers = oneCaller('sesame', ['verify', 'release']);
      const service = await start({ callers, slots: { running: 1, waiting: 0 } });
      let release: () => void = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const runs = new Promise<void>((resolve) => {
        service.verifyEvidence.answer = async () => {
          resolve();
          await gate;
          return ALLOW;
        };
      });
      const credentials = { authorization: 'Bearer sesame' };
      const running = post(service.url, '/verify', VERIFY_BODY, credentials);
      await runs;
      const head = [
        `POST ${path} HTTP/1.1`,
        'Host: localhost',
        'Authorization: Bearer sesame',
        'Content-Type: application/json',
        'Content-Length: 1000',
        'Connection: close',
      ];
      const received = await exchange(service.port, [...head, '', ''].join('\r\n'));
      expect(answersIn(received)).toMatchObject([{ status: 503, body: { code: 'overloaded' } }]);
      release();
      expect((await running).status).toBe(200);
    },
  );

  it('refuses while the event loop is late, except health, metrics and pages', async () => {
    // Every event loop is late by more than this, as soon as it has been measured.
    const service = await start({ settings: { eventLoopDelayMs: 0.0001 } });
    let refused = await post(service.url, '/verify', VERIFY_BODY);
    while (refused.status === 200) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      refused = await post(service.url, '/verify', VERIFY_BODY);
    }
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'overloaded', '1']);
    const spared = await Promise.all(
      ['/livez', '/readyz', '/metrics', '/', '/docs'].map((path) => call(service.url, path)),
    );
    expect(spared.map((answer) => answer.status)).toEqual([200, 200, 200, 200, 200]);
  });
});
