import type { CommandMistake } from './mistake.js';

/** A body that is well formed up to the report in it. */
const BODY = '{"evidence": {"type": "snp", "report": "AAAA"}, "nonce": "AAECAwQFBgcICQoLDA0ODw"}';

/** Bytes that resemble an SNP report: its length, version and signature algorithm. */
const REPORT = Uint8Array.from({ length: 1184 }, (_, index) => (index === 0 ? 2 : index === 0x34 ? 1 : 0));

/** A gate, but for whom it asks, and about what. */
const GATE = ['gate', '--audience', 'https://gate.example', '--policy', 'payments', '--evidence-type', 'snp'];

/** Mistakes on the command line. */
export const COMMAND_LINE_MISTAKES: readonly CommandMistake[] = [
  {
    title: 'a command that does not exist',
    given: 'veritee verfy body.json',
    action: {
      args: ['verfy', 'body.json'],
    },
    answer: {
      exitCode: 1,
      text: 'unknown command "verfy"; did you mean verify?',
    },
  },
  {
    title: 'a command that resembles none',
    given: 'veritee attest body.json',
    action: {
      args: ['attest', 'body.json'],
    },
    answer: {
      exitCode: 1,
      text: 'unknown command "attest"; there are serve, verify, inspect, request, collect, config, check, policy, endorsements, decisions, replay, stores, gate',
    },
  },
  {
    title: 'a command below another that does not exist',
    given: 'veritee endorsements exprt bundle',
    action: {
      args: ['endorsements', 'exprt', 'bundle'],
    },
    answer: {
      exitCode: 1,
      text: 'unknown command "exprt"; did you mean export?',
    },
  },
  {
    title: 'a list where a body is due',
    given: 'veritee verify body.json, which is []',
    action: {
      args: ['verify', 'body.json'],
      files: { 'body.json': '[]' },
    },
    answer: {
      exitCode: 1,
      text: 'body.json: schema: the value is an array, not an object',
    },
  },
  {
    title: 'an empty policy',
    given: "veritee verify body.json --policy ''",
    action: {
      args: ['verify', 'body.json', '--policy', ''],
      files: { 'body.json': BODY },
    },
    answer: {
      exitCode: 1,
      text: '--policy: is empty\nexpected a policy file, or an id: azure-cvm-baseline, azure-maa-baseline',
    },
  },
  {
    title: 'help for a command that does not exist',
    given: 'veritee help verfy',
    action: {
      args: ['help', 'verfy'],
    },
    answer: {
      exitCode: 1,
      text: 'unknown command "verfy"; did you mean verify?',
    },
  },
  {
    title: 'an option that does not exist',
    given: 'veritee config --cnfig veritee.yaml',
    action: {
      args: ['config', '--cnfig', 'veritee.yaml'],
    },
    answer: {
      exitCode: 1,
      text: "error: unknown option '--cnfig'\n(Did you mean --config?)",
    },
  },
  {
    title: 'an option that resembles none',
    given: 'veritee verify body.json --strict',
    action: {
      args: ['verify', 'body.json', '--strict'],
    },
    answer: {
      exitCode: 1,
      text: "error: unknown option '--strict'\n(There are --vek, --policy, --nonce, --at, --config, --json, --explain, --explain-all)",
    },
  },
  {
    title: 'an option without its value',
    given: 'veritee verify body.json --policy',
    action: {
      args: ['verify', 'body.json', '--policy'],
    },
    answer: {
      exitCode: 1,
      text: "error: option '--policy <id or file>' argument missing",
    },
  },
  {
    title: 'an option twice',
    given: 'veritee verify body.json --policy azure-cvm-baseline --policy own.yaml',
    action: {
      args: ['verify', 'body.json', '--policy', 'azure-cvm-baseline', '--policy', 'own.yaml'],
    },
    answer: {
      exitCode: 1,
      text: '--policy is given twice: leave one out',
    },
  },
  {
    title: 'a command without its file',
    given: 'veritee verify',
    action: {
      args: ['verify'],
    },
    answer: {
      exitCode: 1,
      text: "error: missing required argument 'file'\n(Usage: veritee verify [options] <file>)",
    },
  },
  {
    title: 'a command with a file too many',
    given: 'veritee verify a.json b.json',
    action: {
      args: ['verify', 'a.json', 'b.json'],
    },
    answer: {
      exitCode: 1,
      text: "error: too many arguments for 'verify'. Expected 1 argument but got 2.\n(Usage: veritee verify [options] <file>)",
    },
  },
  {
    title: 'a file that does not exist',
    given: 'veritee verify nothing.json',
    action: {
      args: ['verify', 'nothing.json'],
    },
    answer: {
      exitCode: 1,
      text: 'nothing.json: there is no such file\nexpected a file with a /verify body or raw evidence, a folder of raw files, or - for standard input',
    },
  },
  {
    title: 'a folder that has no evidence',
    given: 'veritee verify evidence',
    action: {
      args: ['verify', 'evidence'],
      files: {
        evidence: null,
      },
    },
    answer: {
      exitCode: 1,
      text: 'evidence_files: none of report.bin, hcl.bin, td-quote.bin, td-quote.json, quote.msg is there\nPut the files of one piece of evidence into the folder; veritee help request lists the files and their usual names.',
    },
  },
  {
    title: 'an empty file',
    given: 'veritee verify body.json',
    action: {
      args: ['verify', 'body.json'],
      files: {
        'body.json': '',
      },
    },
    answer: {
      exitCode: 1,
      text: 'body.json: is empty\nexpected a file with a /verify body or raw evidence, a folder of raw files, or - for standard input',
    },
  },
  {
    title: 'a device without an end',
    given: 'veritee verify /dev/zero',
    action: {
      args: ['verify', '/dev/zero'],
    },
    answer: {
      exitCode: 1,
      text: '/dev/zero: has more than 134217728 bytes\nexpected a file with a /verify body or raw evidence, a folder of raw files, or - for standard input',
    },
  },
  {
    title: 'nothing on standard input',
    given: 'veritee verify - < /dev/null',
    action: {
      args: ['verify', '-'],
    },
    answer: {
      exitCode: 1,
      text: 'standard input: is empty\nexpected a file with a /verify body or raw evidence, a folder of raw files, or - for standard input',
    },
  },
  {
    title: 'a report in the place of its VCEK',
    given: 'veritee verify report.bin --vek other.bin',
    action: {
      args: ['verify', 'report.bin', '--vek', 'other.bin'],
      files: {
        'report.bin': REPORT,
        'other.bin': REPORT,
      },
    },
    answer: {
      exitCode: 1,
      text: '--vek: other.bin: is no VCEK or VLEK',
    },
  },
  {
    title: 'text in the place of a body',
    given: 'veritee verify notes.txt',
    action: {
      args: ['verify', 'notes.txt'],
      files: {
        'notes.txt': 'hello\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'notes.txt: is neither JSON nor a structure that is recognised, and a /verify body is expected\na body looks like this: {"evidence": {"type": "az-snp-vtpm", …}, "nonce": "…"}\nveritee request FOLDER makes one from the files of a guest',
    },
  },
  {
    title: 'a folder in the place of the body that a policy learns from',
    given: 'veritee policy learn raw',
    action: {
      args: ['policy', 'learn', 'raw'],
      files: { raw: null },
    },
    answer: {
      exitCode: 1,
      text: 'raw: is a directory, and a file is expected\nexpected a file with a /verify body, as veritee request makes it from a folder, or - for standard input',
    },
  },
  {
    title: 'JSON that is cut short',
    given: 'veritee verify body.json, with {"evidence": {"type": "snp"',
    action: {
      args: ['verify', 'body.json'],
      files: {
        'body.json': '{"evidence": {"type": "snp"',
      },
    },
    answer: {
      exitCode: 1,
      text: 'body.json: schema: not JSON: the text ends too early (at /evidence)',
    },
  },
  {
    title: 'evidence without the body around it',
    given: 'veritee verify body.json, with {"type": "snp", …}',
    action: {
      args: ['verify', 'body.json'],
      files: {
        'body.json': '{"type": "snp", "report": "AAAA"}',
      },
    },
    answer: {
      exitCode: 1,
      text: 'body.json: schema: member is missing: this body looks like evidence, which goes into the member evidence (at /evidence)',
    },
  },
  {
    title: 'an evidence type that does not exist',
    given: 'veritee verify body.json, with {"evidence": {"type": "sev-snp", …}}',
    action: {
      args: ['verify', 'body.json'],
      files: {
        'body.json': '{"evidence": {"type": "sev-snp", "report": "AAAA"}}',
      },
    },
    answer: {
      exitCode: 1,
      text: 'body.json: type_unsupported: this version does not judge evidence of type "sev-snp"; it judges snp, tdx, az-snp-vtpm, az-tdx-vtpm, tpm, maa-token, ita-token (at /evidence/type)',
    },
  },
  {
    title: '--nonce that is too short',
    given: 'veritee verify body.json --nonce AAAA',
    action: {
      args: ['verify', 'body.json', '--nonce', 'AAAA'],
      files: {
        'body.json': BODY,
      },
    },
    answer: {
      exitCode: 1,
      text: '--nonce: nonce: nonce is 3 bytes, expected 8 to 64',
    },
  },
  {
    title: '--nonce that is too long',
    given: 'veritee verify body.json --nonce AAAA…',
    action: {
      args: ['verify', 'body.json', '--nonce', 'A'.repeat(88)],
      files: {
        'body.json': BODY,
      },
    },
    answer: {
      exitCode: 1,
      text: '--nonce: nonce: nonce is 66 bytes, expected 8 to 64',
    },
  },
  {
    title: '--nonce that is no base64',
    given: 'veritee verify body.json --nonce "my nonce"',
    action: {
      args: ['verify', 'body.json', '--nonce', 'my nonce'],
      files: {
        'body.json': BODY,
      },
    },
    answer: {
      exitCode: 1,
      text: '--nonce: encoding: not base64url or base64: it has spaces or line feeds',
    },
  },
  {
    title: 'an instant in words',
    given: 'veritee verify body.json --at yesterday',
    action: {
      args: ['verify', 'body.json', '--at', 'yesterday'],
      files: {
        'body.json': BODY,
      },
    },
    answer: {
      exitCode: 1,
      text: '--at: schema: not a time: expected RFC 3339 in UTC, with seconds and Z, such as 2026-01-15T12:00:00Z',
    },
  },
  {
    title: 'an instant in the body alone',
    given: 'veritee verify body.json, with {…, "at": "2026-01-15T12:00:00Z"}',
    action: {
      args: ['verify', 'body.json'],
      files: {
        'body.json':
          '{"evidence": {"type": "snp", "report": "AAAA"}, "nonce": "AAECAwQFBgcICQoLDA0ODw", "at": "2026-01-15T12:00:00Z"}',
      },
    },
    answer: {
      exitCode: 1,
      text: 'body.json: at_not_enabled: the command line takes the verification time from --at only, never from the body (at /at)',
    },
  },
  {
    title: '--policy that does not exist',
    given: 'veritee verify body.json --policy azure-baseline',
    action: {
      args: ['verify', 'body.json', '--policy', 'azure-baseline'],
      files: {
        'body.json': BODY,
      },
    },
    answer: {
      exitCode: 1,
      text: '--policy: there is no policy azure-baseline; there are azure-cvm-baseline, azure-maa-baseline, or name a policy file',
    },
  },
  {
    title: '--policy of a file that does not exist',
    given: 'veritee verify body.json --policy own.yaml',
    action: {
      args: ['verify', 'body.json', '--policy', 'own.yaml'],
      files: {
        'body.json': BODY,
      },
    },
    answer: {
      exitCode: 1,
      text: '--policy: own.yaml: there is no such file\nexpected a policy file, or an id: azure-cvm-baseline, azure-maa-baseline',
    },
  },
  {
    title: '--policy of a file that is no UTF-8',
    given: 'veritee verify body.json --policy own.yaml, written in Latin-1',
    action: {
      args: ['verify', 'body.json', '--policy', 'own.yaml'],
      files: {
        'body.json': BODY,
        'own.yaml': Buffer.from('apiVersion: veritee/v1\nid: own # für uns\n', 'latin1'),
      },
    },
    answer: {
      exitCode: 1,
      text: '--policy: own.yaml: is not UTF-8',
    },
  },
  {
    title: 'a file that is nothing known',
    given: 'veritee inspect notes.txt',
    action: {
      args: ['inspect', 'notes.txt'],
      files: {
        'notes.txt': 'hello\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'notes.txt: nothing that is recognised\nrecognised are evidence and /verify bodies in JSON, an SNP report, an SNP extended report, an SNP certificate table, an HCL report, a TD quote, a TDREPORT, a TPM quote, certificates or CRLs in PEM, a certificate in DER, a CRL in DER, a token, an event log, TDX collateral in JSON',
    },
  },
  {
    title: 'a report in base64 in the place of its bytes',
    given: 'veritee inspect report.txt',
    action: {
      args: ['inspect', 'report.txt'],
      files: {
        'report.txt': Buffer.from(REPORT).toString('base64'),
      },
    },
    answer: {
      exitCode: 1,
      text: 'report.txt: it is an SNP report written in base64: turn it into bytes first (base64 -d)',
    },
  },
  {
    title: 'values of registers beside what is no event log',
    given: 'veritee inspect report.bin --pcrs pcrs.json',
    action: {
      args: ['inspect', 'report.bin', '--pcrs', 'pcrs.json'],
      files: {
        'report.bin': REPORT,
        'pcrs.json': `{"sha256":{"7":"${'00'.repeat(32)}"}}`,
      },
    },
    answer: {
      exitCode: 1,
      text: '--pcrs: only an event log is compared with values of registers, and report.bin is an SNP report',
    },
  },
  {
    title: 'values of registers that are a list of another length',
    given: 'veritee inspect log.json --pcrs pcrs.bin, which is 24 SHA-1 values',
    action: {
      args: ['inspect', 'log.json', '--pcrs', 'pcrs.bin'],
      files: {
        'log.json': '{"type": "event-log", "log": "AAAA"}',
        'pcrs.bin': new Uint8Array(24 * 20).fill(0xff),
      },
    },
    answer: {
      exitCode: 1,
      text: 'pcrs.bin: tpm_format: a list of 24 SHA-256 PCR values is 480 bytes, expected 768',
    },
  },
  {
    title: 'a value of a register that is too short',
    given: 'veritee inspect log.json --pcrs pcrs.json',
    action: {
      args: ['inspect', 'log.json', '--pcrs', 'pcrs.json'],
      files: {
        'log.json': '{"type": "event-log", "log": "AAAA"}',
        'pcrs.json': '{"sha256": {"7": "abcd"}}',
      },
    },
    answer: {
      exitCode: 1,
      text: 'pcrs.json: tpm_format: a sha256 PCR value is 2 bytes, expected 32 (at /sha256/7)',
    },
  },
  {
    title: 'standard input twice',
    given: 'veritee inspect - --pcrs -',
    action: {
      args: ['inspect', '-', '--pcrs', '-'],
    },
    answer: {
      exitCode: 1,
      text: '--pcrs: standard input is one file, and two are due',
    },
  },
  {
    title: 'a private key in the place of evidence',
    given: 'veritee inspect key.pem',
    action: {
      args: ['inspect', 'key.pem'],
      files: {
        'key.pem': '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'key.pem: it holds a private key, which is never needed here',
    },
  },
  {
    title: 'a collection without a nonce',
    given: 'veritee collect -o body.json',
    action: {
      args: ['collect', '-o', 'body.json'],
    },
    answer: {
      exitCode: 1,
      text: "error: required option '--nonce <base64url>' not specified",
    },
  },
  {
    title: 'a value that binds a key in the place of a nonce',
    given: 'veritee collect --nonce dmVyaXRlZTFmb3Igc29tZWJvZHkgZWxzZQ',
    action: {
      args: ['collect', '--nonce', 'dmVyaXRlZTFmb3Igc29tZWJvZHkgZWxzZQ'],
    },
    answer: {
      exitCode: 1,
      text: '--nonce: nonce: nonce starts with veritee1, which is reserved for values that bind a key',
    },
  },
  {
    title: 'PCRs that do not exist',
    given: 'veritee collect --nonce AAECAwQFBgcICQoLDA0ODw --pcrs 0-24',
    action: {
      args: ['collect', '--nonce', 'AAECAwQFBgcICQoLDA0ODw', '--pcrs', '0-24'],
    },
    answer: {
      exitCode: 1,
      text: '--pcrs: schema: "0-24": expected PCRs from 0 to 23 as numbers and ranges, such as 0-7,11',
    },
  },
  {
    title: 'a body from a folder that has no evidence',
    given: 'veritee request raw',
    action: {
      args: ['request', 'raw'],
      files: { raw: null },
    },
    answer: {
      exitCode: 1,
      text: 'evidence_files: none of report.bin, hcl.bin, td-quote.bin, td-quote.json, quote.msg is there\nPut the files of one piece of evidence into the folder; veritee help request lists the files and their usual names.',
    },
  },
  {
    title: 'an export for a file that is no report',
    given: 'veritee endorsements export bundle --report notes.txt',
    action: {
      args: ['endorsements', 'export', 'bundle', '--report', 'notes.txt'],
      files: {
        'notes.txt': 'hello\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'notes.txt: is nothing that is recognised\n--report takes an SNP report, a TD quote or an HCL report as it is, or evidence or a /verify body in JSON',
    },
  },
  {
    title: 'an import of a folder that does not exist',
    given: 'veritee endorsements import bundle',
    action: {
      args: ['endorsements', 'import', 'bundle'],
    },
    answer: {
      exitCode: 1,
      text: 'bundle: no such folder',
    },
  },
  {
    title: 'a configuration file that does not exist',
    given: 'veritee serve --config nothing.yaml',
    action: {
      args: ['serve', '--config', 'nothing.yaml'],
    },
    answer: {
      exitCode: 1,
      text: 'configuration file nothing.yaml: there is no such file',
    },
  },
  {
    title: 'a directory in the place of the configuration file',
    given: 'veritee serve --config folder',
    action: {
      args: ['serve', '--config', 'folder'],
      files: {
        folder: null,
      },
    },
    answer: {
      exitCode: 1,
      text: 'configuration file folder: is a directory, and a file is expected',
    },
  },
  {
    title: 'a gate whose service is asked without TLS',
    given: 'veritee gate --url http://veritee.example …',
    action: {
      args: [...GATE, '--url', 'http://veritee.example', '--collect', './collect.sh'],
    },
    answer: {
      exitCode: 1,
      text: '--url is not an https URL: plain http is taken for localhost, 127.0.0.1 and [::1] alone',
    },
  },
  {
    title: 'a gate without a source of evidence',
    given: 'veritee gate --url https://veritee.example …',
    action: {
      args: [...GATE, '--url', 'https://veritee.example'],
    },
    answer: {
      exitCode: 1,
      text: 'name where the evidence comes from: --collect PROGRAM, or --evidence FILE with --nonce',
    },
  },
  {
    title: 'a gate that would take the nonce of the evidence',
    given: 'veritee gate --evidence body.json …',
    action: {
      args: [...GATE, '--url', 'https://veritee.example', '--evidence', 'body.json'],
    },
    answer: {
      exitCode: 1,
      text: '--evidence needs --nonce: the nonce that you gave out for this evidence, not the one in the file',
    },
  },
  {
    title: 'a gate with a command and without --exec',
    given: 'veritee gate … -- ./release-key.sh',
    action: {
      args: [...GATE, '--url', 'https://veritee.example', '--collect', './collect.sh', '--', './release-key.sh'],
    },
    answer: {
      exitCode: 1,
      text: 'a command, and no --exec: write --exec in front of --',
    },
  },
  {
    title: 'a gate with --exec and without a command',
    given: 'veritee gate … --exec',
    action: {
      args: [...GATE, '--url', 'https://veritee.example', '--collect', './collect.sh', '--exec'],
    },
    answer: {
      exitCode: 125,
      text: '--exec: no command; write it behind --, as in --exec -- ./release-key.sh',
    },
  },
  {
    title: 'a gate with the digest of a policy cut off',
    given: 'veritee gate --policy payments@sha256:12ab …',
    action: {
      args: ['gate', '--url', 'https://veritee.example', '--audience', 'x', '--policy', 'payments@sha256:12ab'],
    },
    answer: {
      exitCode: 1,
      text: '--policy: expected the id of a policy, or ID@sha256:HEX with 64 digits of hex in lower case\nveritee policy show ID prints the digest',
    },
  },
];
