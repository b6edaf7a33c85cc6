import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { PROJECT, readProjectFile } from '../architecture/project-files.js';
import { LabService } from '../integration/service/lab-service.js';
import { isLacking } from '../requirements.js';
import { HostileService, type Hostility, resigned, resignedText, send } from './gates/hostile-service.js';
import {
  byCommand,
  type Ended,
  type GateSetting,
  inShell,
  onAzure,
  onGitHub,
  onGitLab,
  onKubernetes,
  run,
  shellEnvironment,
} from './gates/platforms.js';

const NEEDED = ['bash', 'curl', 'jq', 'openssl'].map((program) => ({ what: program, command: [program, '--version'] }));
const OPENSSL = { what: 'openssl', command: ['openssl', 'version'] };
const IS_LACKING = isLacking('gates', [...NEEDED.filter(({ what }) => what !== 'openssl'), OPENSSL]);

const AUDIENCE = 'https://gate.example';
const POLICY = 'azure-cvm-baseline';
const API_KEY = 'k'.repeat(43);
const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const OTHER_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/** How long a gate waits in a test where nothing has to come. Where something has to, it waits much longer. */
const IMPATIENT_SECONDS = 3;
const PATIENT_SECONDS = 60;

/** Replaces members of the answer. */
const members =
  (changed: object): Hostility =>
  ({ body }, response) =>
    send(response, { ...body, ...changed });

/** Signs other claims with the service's own key: everything else of the answer is right. */
const claims =
  (change: (claims: Readonly<Record<string, unknown>>) => object): Hostility =>
  ({ body }, response) =>
    send(response, { ...body, receipt: resigned(body.receipt, KEY, change) });

/** Signs another header with the service's own key. */
const header =
  (changed: object): Hostility =>
  ({ body }, response) => {
    const change = (text: string, payload: string) =>
      [JSON.stringify({ ...JSON.parse(text), ...changed }), payload] as const;
    send(response, { ...body, receipt: resignedText(body.receipt, KEY, change) });
  };

const weaker = { id: 'lenient', version: 1, sha256: 'ab'.repeat(32) };

interface Row {
  readonly what: string;
  /** The message of the shell recipes: it shows that this check refuses, and not another. */
  readonly said: string;
  readonly does: Hostility;
  /** The path whose answer it changes; /verify unless it is said. */
  readonly at?: string;
  /** Whether a gate that trusts TLS only lets go. */
  readonly fools?: 'tls';
  readonly isEndless?: boolean;
}

/** The services for each kind. The scripts with checks of their own get the rest too. */
const FOR_EACH_KIND: readonly string[] = [
  'answers 500',
  'answers 500 in HTML',
  'hangs',
  'sends HTML',
  'sends no body',
  'sends Allow',
  'allows for the past',
  'sends a receipt that says Allow',
  'sends an old receipt',
  'sends the receipt of another request',
  'sends a receipt for somebody else',
  'sends a receipt for a weaker policy',
  'the evidence is not about the challenge',
  'nobody answers',
  'the service does not know the key',
  'gives out a challenge that a shell would run',
];

/** Row GAT-01 of the threat list, and what else a service may do. */
const HOSTILITIES: readonly Row[] = [
  { what: 'answers 500', said: 'answered 500', does: ({ body }, response) => send(response, body, 500) },
  {
    what: 'answers 500 in HTML',
    said: 'answered 500',
    does: (_, response) => send(response, '<h1>500</h1>', 500, 'text/html'),
  },
  { what: 'answers 201 with an allow', said: 'answered 201', does: ({ body }, response) => send(response, body, 201) },
  {
    what: 'refuses as a problem',
    said: 'malformed: "schema"',
    does: (_, response) => send(response, { code: 'schema', detail: 'x' }, 400, 'application/problem+json'),
  },
  { what: 'hangs', said: 'no whole answer', does: () => {}, isEndless: true },
  { what: 'hangs at the challenge', said: 'no whole answer', does: () => {}, isEndless: true, at: '/challenges' },
  {
    what: 'hangs after half an answer',
    said: 'no whole answer',
    isEndless: true,
    does: ({ body }, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(JSON.stringify(body).slice(0, -1));
    },
  },
  {
    what: 'sends without end',
    said: 'no whole answer',
    isEndless: true,
    does: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    },
  },
  {
    what: 'sends HTML',
    said: 'not JSON by its media type',
    does: (_, response) => send(response, '<p>{"decision":"allow"}</p>', 200, 'text/html'),
  },
  {
    what: 'sends the allow as HTML',
    said: 'not JSON by its media type',
    does: ({ body }, response) => send(response, body, 200, 'text/html'),
  },
  { what: 'sends no body', said: 'no JSON object', does: (_, response) => send(response, '') },
  { what: 'sends a list', said: 'no JSON object', does: ({ body }, response) => send(response, [body]) },
  {
    what: 'sends two allows',
    said: 'no JSON object',
    does: ({ body }, response) => send(response, JSON.stringify(body).repeat(2)),
  },
  {
    what: 'breaks off',
    said: 'no whole answer',
    does: ({ body }, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000000' });
      response.write(JSON.stringify(body), () => response.destroy());
    },
  },
  {
    what: 'redirects',
    said: 'answered 307',
    does: (_, response) => {
      response.writeHead(307, { location: '/verify' }).end();
    },
  },
  { what: 'sends Allow', said: 'no decision that is known', does: members({ decision: 'Allow' }) },
  { what: 'sends an allow in a list', said: 'no decision that is known', does: members({ decision: ['allow'] }) },
  {
    what: 'denies, and says allow elsewhere',
    said: 'the decision is deny',
    does: members({ decision: 'deny', policy: { decision: 'allow' } }),
  },
  { what: 'cannot tell', said: 'the decision is indeterminate', does: members({ decision: 'indeterminate' }) },
  { what: 'allows for the past', said: 'about the past', does: members({ historical: true }) },
  {
    what: 'does not say whether its decision is about the past',
    said: 'about the past',
    does: members({ historical: undefined }),
  },
  { what: 'sends no receipt', said: 'no receipt in three parts', does: members({ receipt: null }) },
  { what: 'sends an empty receipt', said: 'no receipt in three parts', does: members({ receipt: '' }) },
  {
    what: 'sends a receipt of two parts',
    said: 'no receipt in three parts',
    does: ({ body }, response) => send(response, { ...body, receipt: body.receipt.replace(/\.[^.]*$/, '') }),
  },
  { what: 'sends a receipt that says Allow', said: 'does not say allow', does: claims(() => ({ decision: 'Allow' })) },
  {
    what: 'sends an old receipt',
    said: 'not of now',
    does: claims(({ iat, exp }) => ({ iat: Number(iat) - 3600, nbf: Number(iat) - 3600, exp: Number(exp) - 3600 })),
  },
  {
    what: 'repeats an answer of a while ago',
    said: 'before it was asked for',
    does: claims(({ iat, exp }) => ({ iat: Number(iat) - 120, nbf: Number(iat) - 120, exp: Number(exp) - 120 })),
  },
  {
    what: 'says why in words that a pipeline obeys',
    said: '#\\u0023vso[task.setvariable variable=PATH]x',
    does: members({ decision: 'deny', reasons: ['##vso[task.setvariable variable=PATH]x'] }),
  },
  {
    what: 'sends a receipt that holds for a day',
    said: 'not of now',
    does: claims(({ iat }) => ({ exp: Number(iat) + 86_400 })),
  },
  {
    what: 'sends the receipt of another request',
    said: 'of another request',
    does: claims(() => ({ eat_nonce: Buffer.alloc(32, 9).toString('base64url') })),
  },
  {
    what: 'sends a receipt for somebody else',
    said: 'for somebody else',
    does: claims(() => ({ aud: 'https://other.example' })),
  },
  {
    what: 'sends a receipt for several',
    said: 'for somebody else',
    does: claims(() => ({ aud: [AUDIENCE, 'https://other.example'] })),
  },
  {
    what: 'sends a receipt of another issuer',
    said: 'of another issuer',
    does: claims(() => ({ iss: 'https://other.example' })),
  },
  {
    what: 'sends a receipt for a weaker policy',
    said: 'of another policy or tenant',
    does: claims(() => ({ sub: 'default:lenient', policies: [weaker] })),
  },
  {
    what: 'sends a receipt for another text of the policy',
    said: 'another text of it',
    does: claims(() => ({ policies: [{ ...weaker, id: POLICY }] })),
  },
  {
    what: 'sends a receipt of another tenant',
    said: 'of another policy or tenant',
    does: claims(() => ({ sub: `other:${POLICY}` })),
  },
  {
    what: 'sends a receipt about a TPM',
    said: 'about other evidence',
    does: claims(() => ({ evidence: { type: 'tpm' } })),
  },
  {
    what: 'sends a receipt of another profile',
    said: 'of another profile',
    does: claims(() => ({ eat_profile: 'x' })),
  },
  {
    what: 'sends a receipt with nothing appraised',
    said: 'what was appraised',
    does: claims(() => ({ submods: { hardware: {} } })),
  },
  {
    what: 'sends a receipt that does not hold yet',
    said: 'not of now',
    does: claims(({ iat, exp }) => ({ iat: Number(iat) + 3600, nbf: Number(iat) + 3600, exp: Number(exp) + 3600 })),
  },
  {
    what: 'sends a receipt that decides twice',
    said: 'payload of the receipt is malformed',
    does: ({ body }, response) => {
      const twice = (text: string, payload: string) => [text, payload.replace('{', '{"decision":"deny",')] as const;
      send(response, { ...body, receipt: resignedText(body.receipt, KEY, twice) });
    },
  },
  {
    what: 'spells its signature in another way',
    said: 'signature of the receipt is malformed',
    // The last of its characters has four bits that are left over.
    does: ({ body }, response) => {
      const last = body.receipt.at(-1);
      const other = { A: 'B', Q: 'R', g: 'h', w: 'x' }[String(last)];
      send(response, { ...body, receipt: body.receipt.slice(0, -1) + other });
    },
  },
  {
    what: 'signs another type of token',
    said: 'not that of an RS256 receipt',
    fools: 'tls',
    does: header({ typ: 'JWT' }),
  },
  {
    what: 'signs a header with crit',
    said: 'not that of an RS256 receipt',
    fools: 'tls',
    does: header({ crit: ['b64'], b64: true }),
  },
  {
    what: 'names another algorithm',
    said: 'not that of an RS256 receipt',
    fools: 'tls',
    does: header({ alg: 'none' }),
  },
  {
    what: 'signs with another key',
    said: 'not signed by the key',
    fools: 'tls',
    does: ({ body }, response) => send(response, { ...body, receipt: resigned(body.receipt, OTHER_KEY, () => ({})) }),
  },
  {
    what: 'changes a signed claim',
    said: 'not signed by the key',
    fools: 'tls',
    does: ({ body }, response) => {
      const [header, , signature] = body.receipt.split('.');
      const payload = resigned(body.receipt, OTHER_KEY, () => ({ jti: 'x' })).split('.')[1];
      send(response, { ...body, receipt: `${header}.${payload}.${signature}` });
    },
  },
  {
    what: 'gives out no challenge',
    said: 'gave out no nonce',
    at: '/challenges',
    does: (_, response) => send(response, {}),
  },
  {
    what: 'gives out a challenge that a shell would run',
    said: 'gave out no nonce',
    at: '/challenges',
    does: (_, response) => send(response, { nonce: '$(touch key)`touch key`', expiresAt: 'x' }),
  },
];

/** Other faults, the messages of the shell recipes, and the settings of the gate for them. */
const OTHERS: readonly (readonly [what: string, said: string, others: (given: GateSetting) => Partial<GateSetting>])[] =
  [
    [
      'the evidence is not about the challenge',
      'the decision is deny',
      ({ evidenceUrl }) => ({ evidenceUrl: `${evidenceUrl}stale` }),
    ],
    ['nobody has evidence', 'VERITEE_COLLECT failed', () => ({ evidenceUrl: 'http://127.0.0.1:1/' })],
    ['nobody answers', 'no whole answer', () => ({ url: 'http://127.0.0.1:1' })],
    ['the service is asked without TLS', 'have to be https', () => ({ url: 'http://veritee.example' })],
    ['the service does not know the key', 'answered 401', () => ({ apiKey: 'o'.repeat(43) })],
    [
      'the caller may not have receipts for the audience',
      'answered 403',
      () => ({ audience: 'https://other.example' }),
    ],
    [
      'another policy is expected',
      '"policy_unknown"',
      (given) => ({ policy: { id: 'payments', sha256: given.policy.sha256 } }),
    ],
    [
      'another text of the policy is expected',
      `"], not ${POLICY}@sha256:${'ab'.repeat(32)}`,
      () => ({ policy: { id: POLICY, sha256: 'ab'.repeat(32) } }),
    ],
    ['other evidence is expected', 'the decision is deny', () => ({ evidenceType: 'snp' })],
    ['another issuer is expected', 'of another issuer', ({ issuer }) => ({ issuer: `${issuer}/` })],
  ];

const nameOf = (index: number) => `row-${index}`;

interface Kind {
  readonly kind: string;
  readonly gate: (setting: GateSetting) => Promise<Ended>;
  /** The file that is there once the key was let go. */
  readonly keyFile: string;
  readonly trustsTlsOnly?: boolean;
  /** Not so where it is `veritee gate` that checks, whose own tests have the rest. */
  readonly checksItself?: boolean;
}

const KINDS: readonly Kind[] = [
  { kind: 'veritee gate --exec', gate: byCommand, keyFile: 'key' },
  { kind: 'the GitHub Action', gate: onGitHub, keyFile: 'key' },
  { kind: 'the Azure DevOps template', gate: onAzure, keyFile: 'key' },
  { kind: 'the GitLab include', gate: onGitLab, keyFile: 'key' },
  { kind: 'the Kubernetes init container', gate: onKubernetes, keyFile: 'receipt/receipt' },
  { kind: 'the shell recipe with openssl', gate: inShell('gate-receipt.sh'), keyFile: 'key', checksItself: true },
  {
    kind: 'the shell recipe that trusts TLS',
    gate: inShell('gate-tls.sh'),
    keyFile: 'key',
    trustsTlsOnly: true,
    checksItself: true,
  },
];

describe.skipIf(IS_LACKING)('a gate script', () => {
  let lab: LabService;
  let hostile: HostileService;
  let evidence: Server;
  let policy: GateSetting['policy'];
  let issuer = '';
  let settings = 0;

  beforeAll(async () => {
    lab = await LabService.create();
    hostile = await HostileService.start(
      new Map(HOSTILITIES.map(({ does, at = '/verify' }, index) => [nameOf(index), { at, does }])),
    );
    const file = join(lab.root, 'receipts.pem');
    await writeFile(file, KEY.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const apiKeySha256 = createHash('sha256').update(API_KEY).digest('hex');
    const { url } = await lab.start({
      receipts: { key: file },
      callers: {
        ci: {
          apiKeySha256,
          expires: '2099-01-01',
          roles: ['verify', 'policy:read'],
          policies: [POLICY, 'payments'],
          audience: [AUDIENCE],
        },
      },
    });
    hostile.behind = url;
    issuer = url;
    const read = await fetch(`${url}/policies/${POLICY}`, { headers: { authorization: `Bearer ${API_KEY}` } });
    policy = { id: POLICY, sha256: ((await read.json()) as { sha256: string }).sha256 };
    evidence = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      const nonce = Buffer.from(searchParams.get('nonce') ?? '', 'base64url');
      // The policy, audience and nonce in the guest's body must not count.
      const said = { policy: 'lenient', audience: 'https://other.example' };
      send(
        response,
        pathname === '/stale' ? lab.verifyBody({ members: said }) : lab.verifyBody({ nonce, members: said }),
      );
    });
    await once(evidence.listen(0, '127.0.0.1'), 'listening');
  });

  afterAll(async () => {
    evidence.closeAllConnections();
    evidence.close();
    await hostile.close();
    await lab.close();
  });

  async function script(file: string, text: string): Promise<string> {
    await writeFile(file, text);
    await chmod(file, 0o700);
    return file;
  }

  async function setting(url: string, others: Partial<GateSetting> = {}): Promise<GateSetting> {
    const folder = join(lab.root, `gate-${settings++}`);
    await mkdir(folder);
    const { port } = evidence.address() as AddressInfo;
    const evidenceUrl = others.evidenceUrl ?? `http://127.0.0.1:${port}/`;
    const main = join(inject('installation'), 'dist/main.js');
    return {
      folder,
      url,
      issuer,
      audience: AUDIENCE,
      policy,
      evidenceType: 'az-snp-vtpm',
      apiKey: API_KEY,
      collect: await script(
        join(folder, 'collect.sh'),
        `#!/bin/sh\nexec curl --silent --get --data "nonce=$VERITEE_NONCE" '${evidenceUrl}'\n`,
      ),
      timeoutSeconds: PATIENT_SECONDS,
      release: await script(join(folder, 'release.sh'), `#!/bin/sh\nenv > '${join(folder, 'key')}'\n`),
      program: await script(join(folder, 'veritee'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`),
      ...others,
      evidenceUrl,
    };
  }

  const isLetGo = async ({ folder }: GateSetting, keyFile: string) =>
    (await stat(join(folder, keyFile)).catch(() => null)) !== null;

  describe.each(KINDS)('$kind', ({ gate, keyFile, trustsTlsOnly = false, checksItself = false }) => {
    const isFor = (what: string) => checksItself || FOR_EACH_KIND.includes(what);

    it('lets the key go for an allow of the service', async () => {
      const given = await setting(hostile.url);
      const ended = await gate(given);
      expect(ended).toMatchObject({ exitCode: 0, wentOn: true });
      const released = await readFile(join(given.folder, keyFile), 'utf8');
      const receipt = /(?:^|VERITEE_RECEIPT=)(eyJ\S+)/m.exec(released)?.[1];
      if (trustsTlsOnly) expect(receipt).toBeUndefined();
      else expect(receipt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
      // The key of the caller is for the service, and for nobody else.
      expect(released).not.toContain(API_KEY);
      expect(ended.output).not.toContain(API_KEY);
      expect(ended.output).not.toContain(receipt ?? 'eyJ');
      expect([hostile.keys.has(`Bearer ${API_KEY}`), hostile.keys.has('none')]).toEqual([true, false]);
    });

    it.concurrent.each(
      HOSTILITIES.map((row, index) => ({ ...row, name: nameOf(index) })).filter(({ what }) => isFor(what)),
    )('GAT-01 does not let the key go where the service $what', async ({ name, said, fools, isEndless = false }) => {
      const timeoutSeconds = isEndless ? IMPATIENT_SECONDS : PATIENT_SECONDS;
      const given = await setting(`${hostile.url}/as/${name}`, { timeoutSeconds });
      const { exitCode, wentOn, output } = await gate(given);
      const isFooled = fools === 'tls' && trustsTlsOnly;
      expect([await isLetGo(given, keyFile), wentOn]).toEqual([isFooled, isFooled]);
      expect(exitCode).toBe(isFooled ? 0 : 125);
      if (checksItself && !isFooled) expect(output).toContain(said);
    });

    it.concurrent.each(OTHERS.filter(([what]) => isFor(what)))(
      'GAT-01 does not let the key go where %s',
      async (_what, said, others) => {
        const given = await setting(hostile.url, others(await setting(hostile.url)));
        const { exitCode, wentOn, output } = await gate(given);
        expect([await isLetGo(given, keyFile), wentOn, exitCode]).toEqual([false, false, 125]);
        if (checksItself) expect(output).toContain(said);
      },
    );
  });

  describe.each(['gate-tls.sh', 'gate-receipt.sh'])('%s without a command', (recipe) => {
    async function ends(url: string, others: Partial<GateSetting> = {}, changed: object = {}) {
      const given = await setting(url, others);
      await writeFile(join(given.folder, 'api-key'), API_KEY);
      const command = ['bash', join(PROJECT, 'deploy/gates/shell', recipe)];
      return (await run(command, given.folder, { ...shellEnvironment(given), ...changed })).exitCode;
    }
    const hostilityOf = (what: string) =>
      `${hostile.url}/as/${nameOf(HOSTILITIES.findIndex((row) => row.what === what))}`;

    it.each<[number, string, () => Promise<number | null>]>([
      [0, 'an allow', () => ends(hostile.url)],
      [1, 'a variable that is missing', () => ends(hostile.url, {}, { VERITEE_AUDIENCE: '' })],
      [1, 'a time that is none', () => ends(hostile.url, {}, { VERITEE_TIMEOUT: '1e9' })],
      [1, 'a request that is malformed', () => ends(hostilityOf('refuses as a problem'))],
      [2, 'a deny', () => ends(hostilityOf('denies, and says allow elsewhere'))],
      [2, 'an allow for the past', () => ends(hostilityOf('allows for the past'))],
      [3, 'no decision', () => ends(hostilityOf('cannot tell'))],
      [3, 'a service that fails', () => ends(hostilityOf('answers 500'))],
    ])('ends with %i for %s', async (exitCode, _what, end) => {
      expect(await end()).toBe(exitCode);
    });

    it('gives the log of a pipeline no command that the program of VERITEE_COLLECT writes, and keeps nothing back', async () => {
      const given = await setting(hostile.url);
      const { folder, collect } = given;
      const said = join(folder, 'said');
      // .NET, which the runners are made of, takes more for white space than a locale does.
      const lines = ['#\\u0023vso[x]', '\u00a0\\u003a:a::b', '\u0085\\u003a:c', '\u3000 \\u003a:d', 'e::f'];
      const text = `printf '##vso[x]\\n\u00a0::a::b\\r\u0085::c\\n\u3000 ::d\\ne::f\\n' >&2`;
      const seen = `for _ in $(seq 100); do grep -q e::f '${said}' && exec '${collect}'; sleep 0.1; done; exit 1`;
      const talking = await script(join(folder, 'talking.sh'), `#!/bin/sh\n${text}\n${seen}\n`);
      await writeFile(join(folder, 'api-key'), API_KEY);
      const file = join(PROJECT, 'deploy/gates/shell', recipe);
      const environment = { ...shellEnvironment(given), VERITEE_COLLECT: talking };
      const { exitCode } = await run(['bash', '-c', `exec bash '${file}' 2>'${said}'`], folder, environment);
      expect([exitCode, (await readFile(said, 'utf8')).split('\n').slice(0, 5)]).toEqual([0, lines]);
    });

    it.each(['/nonexistent/api-key', '/'])('says which variable names no file with the API key: %s', async (file) => {
      const given = await setting(hostile.url);
      const command = ['bash', join(PROJECT, 'deploy/gates/shell', recipe)];
      const environment = { ...shellEnvironment(given), VERITEE_API_KEY_FILE: file };
      const { exitCode, output } = await run(command, given.folder, environment);
      expect([exitCode, output]).toEqual([1, expect.stringMatching(/^gate: VERITEE_API_KEY_FILE cannot be read$/m)]);
    });
  });

  it('deploy/gates/shell/collect.sh runs veritee collect for the nonce', async () => {
    const given = await setting(hostile.url);
    await script(join(given.folder, 'veritee'), '#!/bin/sh\necho "$@"\n');
    const path = `${given.folder}:${process.env['PATH']}`;
    const command = ['bash', join(PROJECT, 'deploy/gates/shell/collect.sh')];
    const { output } = await run(command, given.folder, { PATH: path, VERITEE_NONCE: '-abc' });
    expect(output).toBe('collect --nonce=-abc\n');
  });

  describe('gate.sh', () => {
    const GATE = join(PROJECT, 'deploy/gates/gate.sh');

    it('runs the veritee of a package file, without asking a registry', async () => {
      const given = await setting(hostile.url);
      const packed = join(given.folder, 'packed');
      await mkdir(packed);
      await writeFile(join(packed, 'package.json'), '{"name":"veritee","version":"0.0.1","bin":{"veritee":"main.sh"}}');
      await script(join(packed, 'main.sh'), `#!/bin/sh\nexec '${given.program}' "$@"\n`);
      const npm = { npm_config_offline: 'true', npm_config_update_notifier: 'false' };
      expect((await run(['npm', 'pack', './packed'], given.folder, npm)).exitCode).toBe(0);
      const environment = {
        ...npm,
        VERITEE_GATE_PACKAGE: 'veritee-0.0.1.tgz',
        VERITEE_GATE_URL: 'http://veritee.example',
      };
      const { exitCode, output } = await run(['bash', GATE], given.folder, environment);
      expect([exitCode, output]).toEqual([1, expect.stringContaining("required option '--audience <name>'")]);
    });

    it.each([
      [
        'a package that is no file, and would be a name in a registry',
        { VERITEE_GATE_PACKAGE: 'no-such-file' },
        'names no file',
      ],
      ['a program that is not there', { VERITEE_GATE_PROGRAM: './missing' }, 'veritee is not installed'],
    ])('ends with 1, or 125 with a program to run, for %s', async (_what, environment, said) => {
      const { folder } = await setting(hostile.url);
      const plain = await run(['bash', GATE], folder, environment);
      expect([plain.exitCode, plain.output]).toEqual([1, expect.stringContaining(said)]);
      expect((await run(['bash', GATE], folder, { ...environment, VERITEE_GATE_EXEC: './x' })).exitCode).toBe(125);
    });

    it('takes no value for an option', async () => {
      const { folder, program } = await setting(hostile.url);
      const environment = {
        VERITEE_GATE_PROGRAM: program,
        VERITEE_GATE_URL: '--help',
        VERITEE_GATE_AUDIENCE: '--json',
      };
      const { exitCode, output } = await run(['bash', GATE], folder, environment);
      expect([exitCode, output]).toEqual([1, expect.stringContaining('--url is no URL')]);
    });
  });
});

describe('deploy/gates/kubernetes', () => {
  const { spec } = parse(readProjectFile('deploy/gates/kubernetes/pod.yaml'));

  it('may do nothing beyond what it needs, and cannot start its containers without the gate', () => {
    expect(spec).toMatchObject({
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: expect.arrayContaining([
        expect.objectContaining({ name: 'receipt', emptyDir: expect.objectContaining({ medium: 'Memory' }) }),
      ]),
    });
    expect(spec.initContainers).toHaveLength(1);
    for (const container of [...spec.initContainers, ...spec.containers]) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      // A sidecar would let the containers start before it ends.
      expect(container).not.toHaveProperty('restartPolicy');
    }
    expect(spec.initContainers[0]).not.toHaveProperty('command');
  });

  it('gives no container but the gate the API key, and none but the gate the receipt to write', () => {
    for (const { volumeMounts } of spec.containers) {
      expect(volumeMounts).toEqual([{ name: 'receipt', mountPath: '/run/veritee', readOnly: true }]);
    }
  });
});
