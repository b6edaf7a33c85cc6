import { Agent, fetch } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAmdPki } from '../../lab/amd-pki.js';
import type { LabFault } from '../../lab/lab-fault.js';
import { LabMaa } from '../../lab/maa.js';
import { LabManagedIdentity } from '../../lab/managed-identity.js';
import { call } from './call.js';

const pki = createAmdPki();
let maa: LabMaa;
let agent: Agent;

beforeEach(async () => {
  maa = await LabMaa.start({ pki });
  agent = new Agent({ connect: { ca: maa.authorityPem } });
});
afterEach(async () => {
  await agent.destroy();
  await maa.close();
});

const get = (signal: AbortSignal | null = null) =>
  fetch(`${maa.origin}/certs`, { dispatcher: agent, redirect: 'manual', signal });

/** The fate of a request that nobody waits for until the end. */
async function failure(broken: Promise<unknown>): Promise<string> {
  const error = await broken.then(
    () => null,
    (reason: unknown) => reason,
  );
  return String((error as Error | null)?.cause ?? error);
}

describe('faults of a server of the lab', () => {
  it('answers with a status, how long to wait, and a body', async () => {
    maa.fail(/certs/, { status: 429, retryAfter: '3', body: { error: 'busy' } });
    const answer = await get();
    expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
      429,
      '3',
      { error: 'busy' },
    ]);
  });

  it('answers with garbage, with another type, and with a way elsewhere', async () => {
    const seen = async (fault: LabFault) => {
      maa.fail(/certs/, fault);
      const answer = await get();
      return [answer.status, answer.headers.get('content-type'), answer.headers.get('location'), await answer.text()];
    };
    const genuine = JSON.stringify(maa.keySet());
    expect(await seen('garbage')).toEqual([200, 'application/json; charset=utf-8', null, 'Z'.repeat(900)]);
    expect(await seen('content_type')).toEqual([200, 'text/html', null, genuine]);
    expect(await seen('redirect')).toEqual([302, null, 'http://169.254.169.254/latest', '']);
  });

  it('sends more than anybody wants', async () => {
    maa.fail(/certs/, 'oversize');
    const answer = await get();
    let bytes = 0;
    for await (const chunk of answer.body ?? []) {
      bytes += (chunk as Uint8Array).byteLength;
      if (bytes > 4 * 1024 * 1024) break;
    }
    expect(bytes).toBeGreaterThan(4 * 1024 * 1024);
  });

  it('drips the genuine answer', async () => {
    maa.fail(/certs/, 'drip');
    const answer = await get();
    const reader = answer.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe('{');
    await reader?.cancel();
  });

  it('keeps silent, after it has read the request', async () => {
    maa.fail(/certs/, 'half_open');
    const controller = new AbortController();
    const asked = failure(get(controller.signal));
    while (maa.received.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    expect(await asked).toContain('AbortError');
  });

  it('fails only where it is told, the newest rule first, until it is healed', async () => {
    maa.fail(/./, { status: 500 });
    maa.fail(/certs/, { status: 503 });
    expect((await get()).status).toBe(503);
    expect((await fetch(`${maa.origin}/.well-known/openid-configuration`, { dispatcher: agent })).status).toBe(500);
    await maa.heal();
    expect((await get()).status).toBe(200);
    expect(maa.count(/certs/)).toBe(2);
  });

  it('refuses connections, or shows the certificate of a stranger, and recovers at the same address', async () => {
    const { origin } = maa;
    await maa.connect('refused');
    expect(await failure(get())).toContain('ECONNREFUSED');
    await maa.connect('tls');
    expect(await failure(get())).toMatch(/certificate/i);
    await maa.heal();
    expect(maa.origin).toBe(origin);
    expect((await get()).status).toBe(200);
    await agent.close();
  });

  it('speaks plain HTTP where the real one does', async () => {
    const identity = await LabManagedIdentity.start();
    expect(identity.origin).toMatch(/^http:\/\/localhost:\d+$/);
    expect((await call(identity, '/elsewhere')).status).toBe(404);
    await identity.close();
  });
});
