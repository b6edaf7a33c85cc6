import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../src/app/service.js';
import {
  type Challenge,
  createVeriteeClient,
  type EvidenceBody,
  type EvidenceDemand,
  ServiceError,
  type VeriteeClientOptions,
} from '../../../src/relying-party/index.js';
import { LabService, lenientPolicy, sha256Hex } from './lab-service.js';

const AUDIENCE = 'https://gate.example';
const LENIENT = lenientPolicy('lenient');
const JWK = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
/** RFC 8037, appendix A.3. */
const JKT = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

let lab: LabService;
let service: RunningService;

beforeAll(async () => {
  lab = await LabService.create();
  await lab.writePolicy(LENIENT);
  service = await lab.start();
});

afterAll(() => lab.close());

const optionsFor = (url: string, members: Partial<VeriteeClientOptions> = {}): VeriteeClientOptions => ({
  url,
  issuer: service.url,
  audience: AUDIENCE,
  policies: [{ id: 'azure-cvm-baseline' }],
  evidenceTypes: ['az-snp-vtpm'],
  tenant: 'default',
  ...members,
});

const clientOf = (members: Partial<VeriteeClientOptions> = {}) =>
  createVeriteeClient(optionsFor(members.url ?? service.url, members));

/** Again where load was shed: what was refused so was not looked at. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== 'overloaded' || attempt === 10) throw error;
      await sleep(1000);
    }
  }
}

/** The answer of a VM of the lab to a challenge. */
function evidenceFor({ nonce }: Pick<Challenge, 'nonce'>, asked: object = {}): EvidenceBody {
  return JSON.parse(lab.verifyBody({ nonce: Buffer.from(nonce, 'base64url'), ...asked }));
}

describe('the client of a service', () => {
  it('gets a challenge, and for the evidence of a VM a verified receipt', async () => {
    const client = clientOf();
    const challenge = await again(() => client.challenge());
    const body = evidenceFor(challenge, { jwk: JWK });
    const verified = await again(() => client.verify(body, { ...challenge, boundKey: { jkt: JKT } }));
    expect(verified).toMatchObject({
      decision: 'allow',
      issuer: service.url,
      audience: AUDIENCE,
      subject: 'default:azure-cvm-baseline',
      nonce: challenge.nonce,
      evidence: { type: 'az-snp-vtpm' },
      status: { hardware: 'affirming' },
      boundKey: { jwk: JWK, jkt: JKT },
    });
  });

  it('has several policies judged, and pins their texts', async () => {
    const policies = [{ id: 'lenient', sha256: sha256Hex(LENIENT) }, { id: 'azure-cvm-baseline' }];
    const client = clientOf({ policies });
    const challenge = await again(() => client.challenge());
    const verified = await again(() => client.verify(evidenceFor(challenge), challenge));
    expect(verified.subject).toBe('default:azure-cvm-baseline lenient');
  });

  it('GAT-01 does not accept the policy with another text', async () => {
    const client = clientOf({ policies: [{ id: 'lenient', sha256: sha256Hex(`${LENIENT} `) }] });
    const challenge = await again(() => client.challenge());
    await expect(again(() => client.verify(evidenceFor(challenge), challenge))).rejects.toMatchObject({
      code: 'receipt_policy',
    });
  });

  it('says why a VM is denied', async () => {
    const client = clientOf();
    const challenge = await again(() => client.challenge());
    const old = evidenceFor({ nonce: Buffer.alloc(32, 7).toString('base64url') });
    await expect(again(() => client.verify(old, challenge))).rejects.toMatchObject({
      name: 'NotAllowedError',
      decision: 'deny',
      reasons: ['nonce_mismatch'],
      checks: expect.arrayContaining([expect.objectContaining({ id: 'nonce_mismatch', result: 'fail' })]),
      retryable: false,
    });
  });

  it('says that a decision is indeterminate', async () => {
    const cut = await lab.start({ amd: { kds: 'off' } }, {}, 'cut');
    const client = createVeriteeClient(optionsFor(cut.url, { issuer: cut.url }));
    const challenge = await again(() => client.challenge());
    await expect(again(() => client.verify(evidenceFor(challenge), challenge))).rejects.toMatchObject({
      name: 'NotAllowedError',
      decision: 'indeterminate',
    });
  });

  it('DEC-07 gets nothing for a challenge that was used', async () => {
    const client = clientOf();
    const challenge = await again(() => client.challenge());
    const body = evidenceFor(challenge);
    await again(() => client.verify(body, challenge));
    await expect(again(() => client.verify(body, challenge))).rejects.toMatchObject({
      name: 'NotAllowedError',
      reasons: ['nonce_used'],
    });
  });

  it('says with which code the service refuses a request', async () => {
    const client = clientOf({ policies: [{ id: 'nowhere' }] });
    await expect(again(() => client.challenge())).rejects.toMatchObject({
      name: 'ServiceError',
      code: 'policy_unknown',
      status: 400,
    });
    const body = { evidence: { type: 'tdx', quote: 'AAAA' } } as const;
    await expect(
      again(() => clientOf().verify(body, { nonce: Buffer.alloc(32).toString('base64url') })),
    ).rejects.toMatchObject({ name: 'ServiceError', code: 'tdx_format', status: 400 });
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const running: ReturnType<typeof createServer>[] = [];

/** A server that is no service. */
async function hostile(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined);
    handler(request, response);
  });
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const json =
  (value: unknown, status = 200): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };

describe('a server that is no honest service', () => {
  const nonce = Buffer.alloc(32, 0x21).toString('base64url');
  const body = { evidence: { type: 'tdx', quote: 'AAAA' } } as const;
  const demand: EvidenceDemand = { nonce };

  /** The answer of the service to a request about the VM, with members of its own. */
  const answerTo = async (members: object, from = service) => {
    const { body: answer } = await lab.verify(from, { nonce: Buffer.from(nonce, 'base64url'), members });
    return answer;
  };

  /** The error of the client for a server that answers so. */
  const outcomeOf = async (handler: Handler, members: Partial<VeriteeClientOptions> = {}) => {
    const client = clientOf({ url: await hostile(handler), ...members });
    let acted = false;
    const act = client.whenAllowed(body, demand, () => {
      acted = true;
    });
    const error = await act.then(
      () => null,
      (cause: { readonly name: string; readonly code?: string }) => `${cause.name} ${cause.code ?? ''}`,
    );
    return [error, acted];
  };

  let allow: { readonly receipt: string; readonly [member: string]: unknown };

  beforeAll(async () => {
    allow = await answerTo({ audience: AUDIENCE });
  });

  it('twin: is believed what an honest one has signed', async () => {
    expect(allow).toMatchObject({ decision: 'allow' });
    expect(await outcomeOf(json(allow))).toEqual([null, true]);
  });

  it.each<readonly [what: string, handler: Handler, says: string]>([
    ['500', json({ code: 'internal_error' }, 500), 'ServiceError internal_error'],
    ['500 without a body', (_, response) => response.writeHead(500).end(), 'ServiceError status_unexpected'],
    [
      'HTML',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>allow</h1>'),
      'ServiceError answer_invalid',
    ],
    ['200 without a body', (_, response) => response.writeHead(200).end(), 'ServiceError answer_invalid'],
    ['204', (_, response) => response.writeHead(204).end(), 'ServiceError status_unexpected'],
    ['half a JSON text', (_, response) => response.end('{"decision":"allow","histor'), 'ServiceError answer_invalid'],
    ['the end of the connection', (_, response) => response.destroy(), 'ServiceError no_answer'],
    ['allow alone', json({ decision: 'allow', historical: false }), 'ReceiptError receipt_form'],
    [
      'allow and no receipt',
      json({ decision: 'allow', historical: false, receipt: null }),
      'ReceiptError receipt_form',
    ],
  ])('GAT-01, DEC-08 that answers %s lets nobody in', async (_what, handler, says) => {
    expect(await outcomeOf(handler)).toEqual([says, false]);
  });

  it('GAT-01, DEC-08 that hangs lets nobody in', async () => {
    const silent: Handler = () => undefined;
    expect(await outcomeOf(silent, { timeoutMs: 50 })).toEqual(['ServiceError no_answer', false]);
  });

  it('GAT-01 that hangs after the status lets nobody in', async () => {
    const started: Handler = (_, response) => {
      response.writeHead(200).write('{"decision":"allow"');
    };
    expect(await outcomeOf(started, { timeoutMs: 200 })).toEqual(['ServiceError no_answer', false]);
  });

  it('GAT-01 that answers without end lets nobody in', async () => {
    const endless: Handler = (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await outcomeOf(endless)).toEqual(['ServiceError no_answer', false]);
  });

  it('GAT-01 that redirects is not followed', async () => {
    const asked: (string | undefined)[] = [];
    const redirects: Handler = ({ url }, response) => {
      asked.push(url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    };
    expect(await outcomeOf(redirects)).toEqual(['ServiceError no_answer', false]);
    expect(asked).toEqual(['/verify']);
  });

  it.each([
    ['Allow', { decision: 'Allow' }, 'ServiceError answer_invalid'],
    ['true', { decision: true }, 'ServiceError answer_invalid'],
    ['allow in a nested place', { decision: 'deny', outcome: { decision: 'allow' } }, 'NotAllowedError '],
    ['deny', { decision: 'deny' }, 'NotAllowedError '],
    ['historical', { historical: true }, 'NotAllowedError '],
    ['a status of 202', { status: 202 }, 'ServiceError status_unexpected'],
  ])('GAT-01, DEC-08 that says %s beside a valid receipt lets nobody in', async (_what, members, says) => {
    const { status = 200, ...said } = members as { status?: number };
    expect(await outcomeOf(json({ ...allow, ...said }, status))).toEqual([says, false]);
  });

  it('GAT-01 that gives an old receipt lets nobody in', async () => {
    const later = () => new Date(Date.now() + 301_000);
    expect(await outcomeOf(json(allow), { clock: later })).toEqual(['ReceiptError receipt_time', false]);
    const earlier = await lab.verify(service, { members: { audience: AUDIENCE } });
    expect(await outcomeOf(json({ ...allow, receipt: earlier.body.receipt }))).toEqual([
      'ReceiptError receipt_nonce',
      false,
    ]);
  });

  it('GAT-01 that gives the receipt of somebody else lets nobody in', async () => {
    const { receipt } = await answerTo({ audience: 'https://other.example' });
    expect(await outcomeOf(json({ ...allow, receipt }))).toEqual(['ReceiptError receipt_audience', false]);
  });

  it('GAT-01 that gives the receipt of another service lets nobody in', async () => {
    const other = await lab.start({}, {}, 'other');
    const { receipt } = await answerTo({ audience: AUDIENCE }, other);
    expect(await outcomeOf(json({ ...allow, receipt }))).toEqual(['ReceiptError receipt_key', false]);
  });

  it('GAT-01 that judged by a weaker policy lets nobody in', async () => {
    const weaker = await answerTo({ audience: AUDIENCE, policy: 'lenient' });
    expect(weaker).toMatchObject({ decision: 'allow' });
    expect(await outcomeOf(json(weaker))).toEqual(['ReceiptError receipt_policy', false]);
  });

  it('GAT-01 that says allow of the receipt of a deny lets nobody in', async () => {
    await lab.writePolicy(lenientPolicy('bare', { accepts: ['snp'] }));
    await service.reload();
    const denied = await answerTo({ audience: AUDIENCE, policy: 'bare' });
    expect(denied).toMatchObject({ decision: 'deny', receipt: expect.any(String) });
    expect(await outcomeOf(json({ ...denied, decision: 'allow' }))).toEqual(['ReceiptError receipt_audience', false]);
  });

  it('GAT-01 that judged about the past lets nobody in', async () => {
    const past = await lab.start({ historical: true }, {}, 'past');
    const at = new Date(Date.now() - 1000).toISOString();
    const historical = await answerTo({ audience: AUDIENCE, at }, past);
    expect(historical).toMatchObject({ decision: 'allow', historical: true });
    expect(await outcomeOf(json(historical))).toEqual(['NotAllowedError ', false]);
  });

  it('GAT-01 that has the keys of the issuer at another place lets nobody in', async () => {
    const issuer = await hostile((_, response) => {
      response.writeHead(302, { location: `${service.url}/.well-known/jwks.json` }).end();
    });
    expect(await outcomeOf(json(allow), { issuer })).toEqual(['ReceiptError receipt_keys_unavailable', false]);
  });
});
