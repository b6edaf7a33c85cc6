import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { PROJECT } from '../architecture/project-files.js';
import { guestScript } from '../guest-script.js';
import { buildHclReport } from '../lab/index.js';

const SCRIPT = join(PROJECT, 'deploy/guest/collect.sh');
const NONCE = Uint8Array.from(randomBytes(32));
const USER_DATA = '0x01400002';
const REPORT = '0x01400001';
const ALL_PCRS = Array.from({ length: 24 }, (_, index) => index).join();
const AK_CERTIFICATE = '0x01c101d0';
const CERTIFICATE = Uint8Array.of(0x30, 3, 1, 2, 3, 0, 0);
/** Raw files of a confidential VM on SEV-SNP. */
const RAW_FILES = ['hcl.bin', 'pcrs.bin', 'quote.msg', 'quote.sig', 'thim.json'];

/**
 * Programs that the script runs, on NV indices that are files of `nv`, with their sizes in `size`: an index that was never
 * written is an empty file. A program whose name is in `fail` says what is there, and fails. `paravisor` says what user data a report has.
 */
const PROGRAM = `#!/bin/sh
name=\${0##*/}
for last; do :; done
case $name in tpm2_* | curl | sleep) printf '%s\\n' "$name $*" >>"$STATE/calls" ;; esac
if [ -e "$STATE/fail/$name" ]; then /bin/cat "$STATE/fail/$name" >&2; exit 1; fi
case $name in
  tpm2_nvreadpublic)
    for file in "$STATE"/nv/*; do
      [ -e "$file" ] || continue
      written=
      if [ -s "$file" ]; then written='|written'; fi
      printf '0x%x:\\n  attributes:\\n    friendly: ownerread%s\\n  size: %s\\n' "\${file##*/}" "$written" "$(/bin/cat "$STATE/size/\${file##*/}")"
    done ;;
  tpm2_getcap) /bin/cat "$STATE/handles" ;;
  tpm2_nvread)
    /bin/cat "$STATE/nv/$last"
    if [ "$last" = ${REPORT} ]; then
      case $(/bin/cat "$STATE/paravisor") in
        fresh) printf '"user-data":"%s"' "$(od -An -v -tx1 "$STATE/nv/${USER_DATA}" 2>/dev/null | tr -d ' \\n' | tr a-f A-F)" ;;
        other) printf '"user-data":"00F0"' ;;
        zeros) printf '"user-data":"0000"' ;;
      esac
    fi ;;
  tpm2_nvwrite) cp "$4" "$STATE/nv/$last" ;;
  tpm2_nvdefine) : >"$STATE/nv/$last"; echo 64 >"$STATE/size/$last" ;;
  tpm2_nvundefine) if [ -e "$STATE/late" ]; then kill -s TERM "$PPID"; fi; rm "$STATE/nv/$last" ;;
  tpm2_quote)
    left=$(/bin/cat "$STATE/extended")
    echo a >quote.msg; echo b >quote.sig; echo c >pcrs.bin
    if [ "$left" -gt 0 ]; then
      echo "$((left - 1))" >"$STATE/extended"
      echo 'ERROR: Error validating calculated PCR composite with quote' >&2
      exit 1
    fi ;;
  curl) printf answer >"\${12}"; /bin/cat "$STATE/status" ;;
  mkdir)
    /bin/mkdir "$1" || exit
    case $1 in */tsm/*) printf 7 >"$1/generation"; cp "$STATE/tsm"/* "$1" ;; esac ;;
  rmdir) case $1 in */tsm/*) cp "$1/inblob" "$STATE"; rm -r "$1" ;; *) /bin/rmdir "$1" ;; esac ;;
  cat)
    case $last in
      */tsm/*/outblob) printf "$(/bin/cat "$STATE/written")" >"\${last%/*}/generation" ;;
    esac
    exec /bin/cat "$@" ;;
  sleep) if [ -e "$STATE/signal" ]; then kill -s "$(/bin/cat "$STATE/signal")" "$PPID"; fi ;;
esac
`;

const BASIC_TOOLS = 'awk base64 cat cp grep head id ls mkdir od rm rmdir sleep tail tr wc'.split(' ');
const TOOLS = ['nvreadpublic', 'getcap', 'nvread', 'nvwrite', 'nvdefine', 'nvundefine', 'quote'].map(
  (tool) => `tpm2_${tool}`,
);

let folder: string;
const path = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veritee-script-'));
  for (const name of ['bin', 'state', 'state/nv', 'state/size', 'state/fail', 'state/tsm', 'tsm'])
    await mkdir(path(name));
  for (const name of [...TOOLS, 'curl', 'sleep', 'cat', 'mkdir', 'rmdir'])
    await writeFile(path(`bin/${name}`), PROGRAM, { mode: 0o755 });
  const state = {
    handles: '- 0x81000003\n',
    paravisor: 'fresh',
    extended: '0',
    status: '200',
    calls: '',
    written: '8',
  };
  for (const [name, content] of Object.entries(state)) await writeFile(path(`state/${name}`), content);
  await setIndex(REPORT, reportOf(2));
  await writeFile(path('firmware.log'), 'log');
  return () => rm(folder, { recursive: true });
});

const reportOf = (reportType: number) =>
  buildHclReport({ hardwareReport: new Uint8Array(), runtimeClaims: Buffer.from('{}'), reportType });

async function setIndex(index: string, content: Uint8Array, size = content.length): Promise<void> {
  await writeFile(path(`state/nv/${index}`), content);
  await writeFile(path(`state/size/${index}`), String(size));
}

const fail = (program: string, stderr: string) => writeFile(path(`state/fail/${program}`), stderr);
const nv = (index: string) => readFile(path(`state/nv/${index}`));
const calls = async () => (await readFile(path('state/calls'), 'utf8')).trim().split('\n');
const padded = () => Buffer.concat([NONCE, Buffer.alloc(32)]);

interface Setting {
  readonly nonce?: string;
  readonly options?: readonly string[];
  readonly shell?: readonly string[];
  readonly device?: string;
  readonly tsm?: string;
  readonly lock?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Of somebody who is not root. */
  readonly uid?: number;
}

/** Runs the script in a guest whose TPM is reached in another way than by its device. */
function run({ nonce = Buffer.from(NONCE).toString('base64url'), options = [], ...setting }: Setting = {}) {
  const { device = path('no-tpm'), lock = path('lock'), tsm = path('no-tsm'), shell = ['/bin/sh'], uid } = setting;
  const logs = { firmware_log: path('firmware.log'), system_log: path('system.log'), ccel_log: path('ccel') };
  const input = guestScript({ device, tsm, lock, metadata: 'http://metadata.test', ...logs });
  const environment = setting.environment ?? { TPM2TOOLS_TCTI: 'none' };
  const env = { PATH: `${path('bin')}:/usr/bin:/bin`, STATE: path('state'), ...environment };
  const user = uid === undefined ? {} : { uid, gid: uid };
  const [program = '', ...before] = shell;
  const args = [...before, '-s', '--', ...(nonce === '' ? [] : ['--nonce', nonce]), ...options];
  const { status, stderr, stdout } = spawnSync(program, args, { input, cwd: folder, env, ...user });
  expect(String(stdout)).toBe('');
  return [status, String(stderr)];
}

/** Files that a run may leave if it failed before the quote. */
async function expectNothingLeft(): Promise<void> {
  const left = await readdir(folder);
  expect(left).not.toContain('evidence');
  expect(left).not.toContain('lock');
}

describe('the script of a confidential VM', () => {
  it('runs these programs in this order, and leaves the raw files for their owner alone', async () => {
    expect(run()).toEqual([0, '']);
    expect(await calls()).toEqual([
      'tpm2_nvreadpublic ',
      'tpm2_nvread -C o 0x01400001',
      'tpm2_getcap handles-persistent',
      'tpm2_nvdefine -C o -s 64 -a ownerread|ownerwrite 0x01400002',
      'tpm2_nvwrite -C o -i user-data.bin 0x01400002',
      'sleep 3',
      'tpm2_nvread -C o 0x01400001',
      `tpm2_quote -c 0x81000003 -l sha256:${ALL_PCRS} -q ${Buffer.from(NONCE).toString('hex')} -g sha256 -m quote.msg -s quote.sig -f tss -o pcrs.bin -F values`,
      'curl --disable --silent --show-error --fail --noproxy * --max-time 5 --max-filesize 65536 --output thim.json --write-out %{http_code} -H Metadata:true http://metadata.test/metadata/THIM/amd/certification',
      'tpm2_nvundefine -C o 0x01400002',
    ]);
    expect(await readdir(path('evidence'))).toEqual(['eventlog.bin', ...RAW_FILES]);
    const modes = [path('evidence'), path('evidence/hcl.bin')].map(async (name) => (await stat(name)).mode & 0o777);
    expect(await Promise.all(modes)).toEqual([0o700, 0o600]);
    expect(await readdir(path('state/nv'))).toEqual([REPORT]);
    await expect(stat(path('lock'))).rejects.toThrow('ENOENT');
  });

  it('asks for a quote of the TDREPORT of a TD', async () => {
    await setIndex(REPORT, reportOf(4));
    expect(run()).toEqual([0, '']);
    const report = Buffer.from((await readFile(path('evidence/hcl.bin'))).subarray(32, 32 + 1024)).toString(
      'base64url',
    );
    const asked = (await calls()).find((call) => call.startsWith('curl '));
    expect(asked).toBe(
      `curl --disable --silent --show-error --fail --noproxy * --max-time 5 --max-filesize 65536 --output td-quote.json --write-out %{http_code} -H Content-Type:application/json -d {"report":"${report}"} http://metadata.test/acc/tdquote`,
    );
  });

  it('reads the AK certificate where it is asked for, and does without one that the index has not', async () => {
    await setIndex(AK_CERTIFICATE, CERTIFICATE);
    expect(run({ options: ['--ak-certificate'] })).toEqual([0, '']);
    expect(await readFile(path('evidence/ak.der'))).toEqual(Buffer.from(CERTIFICATE));
    await rm(path('evidence'), { recursive: true });
    await setIndex(AK_CERTIFICATE, new Uint8Array(16));
    expect(run({ options: ['--ak-certificate'] })).toEqual([0, '']);
    expect(await readdir(path('evidence'))).not.toContain('ak.der');
  });

  it.each(['none', 'zeros'])('takes a report at once whose user data is: %s', async (paravisor) => {
    await writeFile(path('state/paravisor'), paravisor);
    expect(run()).toEqual([0, '']);
    expect((await calls()).filter((call) => call === 'sleep 3')).toHaveLength(1);
  });

  it('quotes again where a PCR was extended during a quote', async () => {
    await writeFile(path('state/extended'), '4');
    expect(run()).toEqual([0, '']);
  });
});

describe('the script of Trusted Launch', () => {
  it('has the AK certificate, writes no user data, and asks no metadata service', async () => {
    await setIndex(REPORT, reportOf(3));
    await setIndex(AK_CERTIFICATE, CERTIFICATE);
    expect(run()).toEqual([0, '']);
    expect(await readdir(path('evidence'))).toEqual(['ak.der', 'eventlog.bin', 'pcrs.bin', 'quote.msg', 'quote.sig']);
    const programs = (await calls()).map((call) => call.split(' ')[0]);
    expect(programs).toEqual(['tpm2_nvreadpublic', 'tpm2_nvread', 'tpm2_getcap', 'tpm2_nvread', 'tpm2_quote']);
  });
});

describe('user data that the script finds', () => {
  const kept = Uint8Array.from(randomBytes(64));

  it('is put back', async () => {
    await setIndex(USER_DATA, kept);
    expect(run()).toEqual([0, '']);
    expect(await nv(USER_DATA)).toEqual(Buffer.from(kept));
    expect((await readFile(path('evidence/hcl.bin'))).toString('latin1')).toContain(
      padded().toString('hex').toUpperCase(),
    );
  });

  it('is zeros afterwards where it was never written', async () => {
    await setIndex(USER_DATA, new Uint8Array(), 64);
    expect(run()).toEqual([0, '']);
    expect(await nv(USER_DATA)).toEqual(Buffer.alloc(64));
  });

  it.each<[string, string, () => Promise<void>]>([
    [
      'report_stale: the report does not hold the nonce after 3 readings',
      'a report that is never new',
      () => writeFile(path('state/paravisor'), 'other'),
    ],
    ['tool_failed: tpm2_quote failed', 'a quote that fails', () => fail('tpm2_quote', '')],
    [
      'quote_unstable: a PCR was extended during each of 5 quotes',
      'PCRs that change',
      () => writeFile(path('state/extended'), '5'),
    ],
  ])('is put back after %s (%s)', async (message, _title, spoil) => {
    await setIndex(USER_DATA, kept);
    await spoil();
    expect(run()).toEqual([1, `${message}\n`]);
    expect(await nv(USER_DATA)).toEqual(Buffer.from(kept));
    await expectNothingLeft();
  });

  it.each([
    ['HUP', 129],
    ['INT', 130],
    ['TERM', 143],
  ])('is put back after SIG%s, and the exit code is %i', async (signal, exitCode) => {
    await setIndex(USER_DATA, kept);
    await writeFile(path('state/signal'), signal);
    expect(run()).toEqual([exitCode, '']);
    expect(await nv(USER_DATA)).toEqual(Buffer.from(kept));
    await expectNothingLeft();
  });

  it('is put back, and the lock is gone, where a signal comes during that', async () => {
    await writeFile(path('state/late'), '');
    expect(run()).toEqual([0, '']);
    expect(await readdir(path('state/nv'))).toEqual([REPORT]);
    await expect(stat(path('lock'))).rejects.toThrow('ENOENT');
  });

  it('nv_unusable where it has another size, and is left as it is', async () => {
    await setIndex(USER_DATA, kept.slice(0, 32));
    expect(run()).toEqual([1, 'nv_unusable: NV index 0x01400002 does not have 64 bytes\n']);
    expect(await nv(USER_DATA)).toEqual(Buffer.from(kept.slice(0, 32)));
    await expectNothingLeft();
  });

  it('is told where it could not be put back', async () => {
    await fail('tpm2_nvundefine', 'ERROR: no\n');
    expect(run()).toEqual([1, 'ERROR: no\nwarning: NV index 0x01400002 could not be put back as it was\n']);
    expect(await readdir(path('evidence'))).toEqual(['eventlog.bin', ...RAW_FILES]);
  });

  it('is not removed where it could not be made', async () => {
    await fail('tpm2_nvdefine', 'ERROR: Esys_NV_DefineSpace(0x9A2)\nERROR: Unable to run tpm2_nvdefine\n');
    expect(run()).toEqual([1, 'tool_failed: tpm2_nvdefine failed: ERROR: Unable to run tpm2_nvdefine\n']);
    expect((await calls()).filter((call) => call.startsWith('tpm2_nvundefine'))).toEqual([]);
    await expectNothingLeft();
  });
});

describe('the script fails with the codes of collect', () => {
  const OWN_DEVICE = { TPM2TOOLS_TCTI: '' };

  it('no_tpm without device', () => {
    expect(run({ environment: OWN_DEVICE })).toEqual([1, `no_tpm: there is no ${path('no-tpm')}\n`]);
  });

  it.each([0o444, 0o222, 0o000])('permission where the device is of mode %o', async (mode) => {
    await chmod(folder, 0o755);
    await writeFile(path('device'), '');
    await chmod(path('device'), mode);
    const uid = process.getuid?.() === 0 ? { uid: 65534 } : {};
    const ended = run({ environment: OWN_DEVICE, device: path('device'), ...uid });
    expect(ended).toEqual([1, `permission: this user may not open ${path('device')}\n`]);
  });

  it('permission where the lock cannot be written', () => {
    const lock = path('none/lock');
    expect(run({ lock })).toEqual([1, `permission: ${lock} cannot be written\n`]);
  });

  it.each(['tpm2_nvreadpublic', 'tpm2_nvread', 'tpm2_getcap', 'tpm2_nvdefine', 'tpm2_nvwrite', 'tpm2_quote'])(
    'permission and tool_failed where %s fails',
    async (program) => {
      await fail(program, 'ERROR:tcti: Failed to open /dev/tpmrm0: Permission denied\nERROR: no\n');
      if (program === 'tpm2_nvwrite') await fail('tpm2_nvundefine', '');
      const [status, stderr = ''] = run();
      expect([status, String(stderr).split('\n')[0]]).toEqual([1, `permission: ${program} failed: ERROR: no`]);
      await fail(program, '');
      expect(String(run()[1]).split('\n')[0]).toBe(`tool_failed: ${program} failed`);
      await expectNothingLeft();
    },
  );

  it.each([[...TOOLS.slice(0, 1)], TOOLS.slice(1), ['curl'], ['awk', 'base64', 'od']])(
    'tools_missing names all that are missing: %s %s',
    async (...missing) => {
      // No other tool of that name may be found.
      for (const tool of BASIC_TOOLS) {
        if (['cat', 'mkdir', 'rmdir', 'sleep'].includes(tool)) continue;
        await writeFile(path(`bin/${tool}`), `#!/bin/sh\nPATH=/usr/bin:/bin exec ${tool} "$@"\n`, { mode: 0o755 });
      }
      for (const tool of missing) await rm(path(`bin/${tool}`));
      const environment = { TPM2TOOLS_TCTI: 'none', PATH: path('bin') };
      expect(run({ environment })).toEqual([1, `tools_missing: not on the PATH: ${missing.join(', ')}\n`]);
      await expectNothingLeft();
    },
  );

  it('report_malformed for what is no report', async () => {
    await setIndex(REPORT, new Uint8Array(2600));
    expect(run()).toEqual([1, 'report_malformed: NV index 0x01400001: the signature is not HCLA\n']);
    await expectNothingLeft();
  });

  it('not_confidential for a report of another kind of VM', async () => {
    await setIndex(REPORT, reportOf(1));
    expect(run()).toEqual([1, 'not_confidential: the HCL report is of type 1\n']);
    await expectNothingLeft();
  });

  it('output_file where the folder is there already, whose files stay', async () => {
    await mkdir(path('evidence'));
    await writeFile(path('evidence/hcl.bin'), 'old');
    const [status, stderr] = run();
    expect([status, String(stderr).split('\n').at(-2)]).toEqual([1, 'output_file: evidence must not exist yet']);
    expect(await readFile(path('evidence/hcl.bin'), 'utf8')).toBe('old');
    await expect(stat(path('lock'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['has files', 0o700, ['hcl.bin']],
    ['others may use', 0o755, []],
    ['others may write to', 0o1777, []],
  ])('output_file where a folder that %s takes the place of the new one', async (_name, mode, files) => {
    await mkdir(path('other'));
    for (const name of files) await writeFile(path(`other/${name}`), 'old');
    await chmod(path('other'), mode);
    await writeFile(path('bin/mkdir'), '#!/bin/sh\nln -s other "$1"\n', { mode: 0o755 });
    expect(run()).toEqual([1, 'output_file: evidence was replaced by another while this ran\n']);
    expect(await readdir(path('other'))).toEqual(files);
    await expect(stat(path('lock'))).rejects.toThrow('ENOENT');
  });

  it.skipIf(process.getuid?.() !== 0)('output_file where a folder of another user takes its place', async () => {
    await mkdir(path('other'), { mode: 0o700 });
    await chown(path('other'), 65_534, 65_534);
    await writeFile(path('bin/mkdir'), '#!/bin/sh\nln -s other "$1"\n', { mode: 0o755 });
    expect(run()).toEqual([1, 'output_file: evidence was replaced by another while this ran\n']);
    expect(await readdir(path('other'))).toEqual([]);
  });

  it('runs in a folder whose group new ones inherit', async () => {
    await chmod(folder, 0o2700);
    expect(run()).toEqual([0, '']);
  });

  it.each(['302', '204', '000'])(
    'metadata_unreachable for an answer of status %s, which is not kept',
    async (status) => {
      await writeFile(path('state/status'), status);
      const expected = 'metadata_unreachable: the metadata service gave no answer of status 200\n';
      expect(run()).toEqual([1, expected]);
      expect(await readdir(path('evidence'))).not.toContain('thim.json');
      expect(await readdir(path('state/nv'))).toEqual([REPORT]);
    },
  );

  it('metadata_unreachable where curl fails, whatever the status was', async () => {
    const failing = `#!/bin/sh\nprintf x >"\${12}"; printf 200; echo "curl: (63) Maximum file size exceeded" >&2; exit 63\n`;
    await writeFile(path('bin/curl'), failing, { mode: 0o755 });
    const expected = 'metadata_unreachable: the metadata service gave no answer of status 200\n';
    expect(run()).toEqual([1, `curl: (63) Maximum file size exceeded\n${expected}`]);
    expect(await readdir(path('evidence'))).not.toContain('thim.json');
  });
});

describe('the lock of the script', () => {
  it.each(['', 'x\n', '0\n', '12\n13\n'])('is not taken over where it is no lock: %j', async (content) => {
    await writeFile(path('lock'), content);
    expect(run()).toEqual([1, `locked: ${path('lock')} is no lock of a collector\n`]);
    expect([await readFile(path('lock'), 'utf8'), await calls()]).toEqual([content, ['']]);
  });

  it('is not taken over from a process that runs', async () => {
    await writeFile(path('lock'), `${process.pid}\n`);
    expect(run()).toEqual([1, `locked: ${path('lock')} is held by process ${process.pid}\n`]);
    expect(await readFile(path('lock'), 'utf8')).toBe(`${process.pid}\n`);
  });

  it('belongs to a faster collector that took it over between', async () => {
    await writeFile(path('lock'), '4194304\n');
    const slow = `#!/bin/sh\n/bin/rm "$@"\nif [ "$2" = '${path('lock')}' ]; then echo 1 >"$2"; fi\n`;
    await writeFile(path('bin/rm'), slow, { mode: 0o755 });
    expect(run()).toEqual([1, `locked: ${path('lock')} is held by another collector\n`]);
    expect([await readFile(path('lock'), 'utf8'), await calls()]).toEqual(['1\n', ['']]);
  });

  it('is taken over from a process that is gone', async () => {
    await writeFile(path('lock'), '4194304\n');
    expect(run()).toEqual([0, '']);
    await expect(stat(path('lock'))).rejects.toThrow('ENOENT');
  });
});

describe('the logs that the script copies', () => {
  const copied = async () => (await readdir(path('evidence'))).filter((name) => !RAW_FILES.includes(name));
  const lacking = (name: string, why: string, what: string) =>
    `warning: ${path(name)}: ${why}, so the evidence has no ${what}\n`;

  it('are that of the firmware, and that of the system behind it', async () => {
    await writeFile(path('firmware.log'), Buffer.alloc(1024 * 1024, 1));
    await writeFile(path('system.log'), 'second');
    expect(run()).toEqual([0, '']);
    expect(await copied()).toEqual(['cel.json', 'eventlog.bin']);
    expect(await readFile(path('evidence/cel.json'), 'utf8')).toBe('second');
    expect((await stat(path('evidence/eventlog.bin'))).size).toBe(1024 * 1024);
  });

  it.each<[string, Uint8Array | null]>([
    ['there is no such file', null],
    ['is empty', new Uint8Array()],
    ['has more than 1048576 bytes', new Uint8Array(1024 * 1024 + 1)],
  ])('are left out where that of the firmware %s, which is told as collect does', async (why, content) => {
    await rm(path('firmware.log'));
    await writeFile(path('system.log'), 'second');
    if (content !== null) await writeFile(path('firmware.log'), content);
    expect(run()).toEqual([0, lacking('firmware.log', why, 'event log')]);
    expect(await copied()).toEqual([]);
  });

  it('cannot be read where the file is a folder', async () => {
    await rm(path('firmware.log'));
    await mkdir(path('firmware.log'));
    expect(run()).toEqual([0, lacking('firmware.log', 'cannot be read', 'event log')]);
    expect(await copied()).toEqual([]);
  });

  it('are that of the firmware alone where that of the system is empty', async () => {
    await writeFile(path('system.log'), '');
    expect(run()).toEqual([0, lacking('system.log', 'is empty', 'CEL of the system')]);
    expect(await copied()).toEqual(['eventlog.bin']);
  });

  it('are left out where the script is to, and nothing is told', async () => {
    await rm(path('firmware.log'));
    expect(run({ options: ['--no-event-log'] })).toEqual([0, '']);
    expect(await copied()).toEqual([]);
  });
});

describe('the nonce of the script', () => {
  it.each([
    ['of 7 bytes', Buffer.alloc(7, 1), 'nonce: the nonce is 7 bytes, expected 8 to 64'],
    ['of 65 bytes', Buffer.alloc(65, 1), 'nonce: the nonce is 65 bytes, expected 8 to 64'],
    ['that a quote does not hold', Buffer.alloc(51, 1), 'nonce_length: the nonce is 51 bytes, a TPM quote holds 50'],
    [
      'that is published',
      createHash('sha256').update('azure-cleanroom').digest(),
      'nonce: the nonce is the SHA-256 of azure-cleanroom, which is published',
    ],
  ])('is refused: one %s', async (_title, nonce, message) => {
    expect(run({ nonce: nonce.toString('base64url') })).toEqual([1, `${message}\n`]);
    await expectNothingLeft();
  });

  it('FRS-09 is refused where it could bind a key: code nonce', async () => {
    const nonce = Buffer.from('veritee1 and more').toString('base64url');
    const message = 'nonce: the nonce starts with veritee1, which is reserved for values that bind a key\n';
    expect(run({ nonce })).toEqual([1, message]);
    await expectNothingLeft();
  });

  it.each(['a b', 'AAAAAAAAAAAA!', 'AAAAAAAAAAAAA'])('is refused where it is no base64url: %s', (nonce) => {
    expect(run({ nonce })).toEqual([1, 'nonce: the nonce is not base64url\n']);
  });

  it.each([8, 9, 10, 50])('has %i bytes, with any letter of either alphabet', async (length) => {
    const nonce = Buffer.alloc(length, 0xfb);
    for (const encoding of ['base64', 'base64url'] as const) {
      expect(run({ nonce: nonce.toString(encoding) })).toEqual([0, '']);
      await rm(path('evidence'), { recursive: true });
    }
    const asked = (await calls()).filter((call) => call.includes(` -q ${nonce.toString('hex')} `));
    expect(asked).toHaveLength(2);
  });
});

describe('the options of the script', () => {
  it('are those of collect: PCRs as numbers and ranges, and a folder', async () => {
    expect(run({ options: ['--pcrs', '11,0-7', 'raw'] })).toEqual([0, '']);
    expect((await calls()).join('\n')).toContain(' -l sha256:0,1,2,3,4,5,6,7,11 ');
    expect(await readdir(path('raw'))).toContain('hcl.bin');
  });

  it.each(['', '24', '7-0', '1,1', '0-3,2', 'x', '1,', '1\n2', '123'])(
    'refuse PCRs that there are not: %j',
    async (pcrs) => {
      const message = 'pcrs: expected PCRs from 0 to 23, each once, such as 0-7,11\n';
      expect(run({ options: ['--pcrs', pcrs] })).toEqual([1, message]);
      await expectNothingLeft();
    },
  );

  it.each<[readonly string[], string]>([
    [
      ['--bind', 'key'],
      '--bind is not an option: --nonce N [--pcrs LIST] [--ak-certificate] [--no-event-log] [FOLDER]',
    ],
    [['--pcrs'], '--pcrs needs a value'],
    [['a', 'b'], 'expected one folder'],
  ])('are no others: %j', (options, message) => {
    expect(run({ options })).toEqual([1, `usage: ${message}\n`]);
  });

  it('need a nonce', () => {
    expect(run({ nonce: '' })).toEqual([1, 'usage: the option --nonce is missing\n']);
  });
});

describe('the script of a guest whose firmware gives reports', () => {
  const ofFirmware = (setting: Setting = {}) =>
    run({ environment: { TPM2TOOLS_TCTI: '' }, tsm: path('tsm'), ...setting });
  const firmware = async (files: Readonly<Record<string, string>>) => {
    for (const [name, content] of Object.entries(files)) await writeFile(path(`state/tsm/${name}`), content);
  };

  it('has the report of SEV-SNP and its certificates, requested with the nonce and zeros', async () => {
    await firmware({ provider: 'sev_guest\n', outblob: 'report', auxblob: 'table' });
    expect(ofFirmware()).toEqual([0, '']);
    expect(await readdir(path('evidence'))).toEqual(['certs.bin', 'report.bin']);
    expect(await readFile(path('evidence/report.bin'), 'utf8')).toBe('report');
    expect(await readFile(path('state/inblob'))).toEqual(padded());
    expect(await readdir(path('tsm'))).toEqual([]);
  });

  it('has no certificates where the host gives none', async () => {
    await firmware({ provider: 'sev_guest\n', outblob: 'report', auxblob: '' });
    expect(ofFirmware()).toEqual([0, '']);
    expect(await readdir(path('evidence'))).toEqual(['report.bin']);
  });

  it('has the quote of a TD, and the CCEL where there is one', async () => {
    await firmware({ provider: 'tdx_guest\n', outblob: 'quote' });
    await writeFile(path('ccel'), 'log');
    expect(ofFirmware()).toEqual([0, '']);
    expect(await readdir(path('evidence'))).toEqual(['ccel.bin', 'td-quote.bin']);
  });

  it('takes a nonce of 64 bytes', async () => {
    const nonce = randomBytes(64);
    await firmware({ provider: 'sev_guest\n', outblob: 'report' });
    expect(ofFirmware({ nonce: nonce.toString('base64url') })).toEqual([0, '']);
    expect(await readFile(path('state/inblob'))).toEqual(nonce);
  });

  it('asks the firmware beside a TPM without a report of a paravisor', async () => {
    await rm(path(`state/nv/${REPORT}`));
    await firmware({ provider: 'sev_guest\n', outblob: 'report' });
    expect(run({ tsm: path('tsm') })).toEqual([0, '']);
    expect(await readdir(path('evidence'))).toEqual(['report.bin']);
  });

  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    [
      'another TEE',
      { provider: 'arm_cca_guest' },
      '8',
      'not_confidential: the TEE is arm_cca_guest, expected sev_guest or tdx_guest',
    ],
    ['another count of writing', { provider: 'sev_guest' }, '9', 'tsm_failed: another process wrote to the entry'],
    ['no report', { provider: 'sev_guest', outblob: '' }, '8', 'tsm_failed: configfs-tsm gives no report'],
  ])('fails with %s, and leaves nothing behind', async (_title, files, written, message) => {
    await firmware({ outblob: 'report', ...files });
    await writeFile(path('state/written'), written);
    expect(ofFirmware()).toEqual([1, `${message}\n`]);
    expect(await readdir(path('tsm'))).toEqual([]);
    await expectNothingLeft();
  });
});

describe('the text of the script', () => {
  it.each([['/bin/sh'], ['dash'], ['busybox', 'sh'], ['bash', '--posix']])('is read by %s', (...shell) => {
    const [program = '', ...args] = shell;
    const { status, stderr, error } = spawnSync(program, [...args, '-n', SCRIPT]);
    // A shell that is not installed cannot be asked.
    if (error === undefined) expect([status, String(stderr)]).toEqual([0, '']);
  });

  it('has nothing that shellcheck warns of', () => {
    const { status, stdout, error } = spawnSync('shellcheck', ['-s', 'sh', SCRIPT]);
    if (error === undefined) expect([status, String(stdout)]).toEqual([0, '']);
  });
});
