import type { CommandMistake } from './mistake.js';

/** A body that is well formed up to the report in it. */
const BODY = '{"evidence": {"type": "snp", "report": "AAAA"}, "nonce": "AAECAwQFBgcICQoLDA0ODw"}';

/** Mistakes in YAML files. */
export const YAML_MISTAKES: readonly CommandMistake[] = [
  {
    title: 'a key of the configuration that does not exist',
    given: 'veritee config --config veritee.yaml, with listen: { prot: 8080 }',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen: { prot: 8080 }\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 1: listen.prot: unknown key; did you mean port?',
    },
  },
  {
    title: 'a key that resembles none',
    given: 'veritee config --config veritee.yaml, with listen:⏎  colour: red',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen:\n  colour: red\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: listen.colour: unknown key; there are host, port, insecure, tls, trustedProxies, management',
    },
  },
  {
    title: 'a number as text',
    given: 'veritee config --config veritee.yaml, with listen:⏎  port: "8080"',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen:\n  port: "8080"\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: listen.port: must be a whole number from 0 to 65535, without quotes',
    },
  },
  {
    title: 'a number out of range',
    given: 'veritee config --config veritee.yaml, with deadlineSeconds: 600',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'deadlineSeconds: 600\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 1: deadlineSeconds: must be a number from 0.1 to 120',
    },
  },
  {
    title: 'a word that is no choice',
    given: 'veritee config --config veritee.yaml, with log:⏎  level: verbose',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'log:\n  level: verbose\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: log.level: must be one of fatal, error, warn, info, debug, trace',
    },
  },
  {
    title: 'an address without scheme',
    given: 'veritee config --config veritee.yaml, with maa:⏎  issuers:⏎  - issuer: my.weu.attest.azure.net',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'maa:\n  issuers:\n  - issuer: my.weu.attest.azure.net\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 3: maa.issuers[0].issuer: must be an https URL without user, query and fragment',
    },
  },
  {
    title: 'a single value in the place of a list',
    given: 'veritee config --config veritee.yaml, with tpm:⏎  roots: roots.pem',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'tpm:\n  roots: roots.pem\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: tpm.roots: must be a list',
    },
  },
  {
    title: 'a key of a vault without its version',
    given:
      'veritee config --config veritee.yaml, with receipts:⏎  key: https://my.vault.azure.net/keys/receipts⏎  credential: managed-identity',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'receipts:\n  key: https://my.vault.azure.net/keys/receipts\n  credential: managed-identity\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: receipts.key: names no version of the key, and so another key after each rotation there (https://NAME.vault.azure.net/keys/NAME/VERSION)',
    },
  },
  {
    title: 'a date of another form',
    given:
      'veritee config --config veritee.yaml, with callers:⏎  ci: { apiKeySha256: abababababababababababababababababababababababababababababababab, expires: 31.1.2027, roles: [verify] }',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml':
          'callers:\n  ci: { apiKeySha256: abababababababababababababababababababababababababababababababab, expires: 31.1.2027, roles: [verify] }\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: callers.ci.expires: must be a date such as 2027-01-31, or with a time in UTC',
    },
  },
  {
    title: 'an API key in the place of its hash',
    given:
      'veritee config --config veritee.yaml, with callers:⏎  ci: { apiKeySha256: my-key, expires: 2027-01-31, roles: [verify] }',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'callers:\n  ci: { apiKeySha256: my-key, expires: 2027-01-31, roles: [verify] }\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: callers.ci.apiKeySha256: must be 32 bytes in hex',
    },
  },
  {
    title: 'a caller without roles',
    given:
      'veritee config --config veritee.yaml, with callers:⏎  ci: { apiKeySha256: abababababababababababababababababababababababababababababababab, expires: 2027-01-31 }',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml':
          'callers:\n  ci: { apiKeySha256: abababababababababababababababababababababababababababababababab, expires: 2027-01-31 }\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: callers.ci.roles: is missing',
    },
  },
  {
    title: 'a non-loopback address without callers',
    given: 'veritee config --config veritee.yaml, with listen:⏎  host: 0.0.0.0',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen:\n  host: 0.0.0.0\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2: listen.host: not a loopback address, and no callers are configured (listen.insecure: true serves anyone)',
    },
  },
  {
    title: 'indentation that does not fit',
    given: 'veritee config --config veritee.yaml, with listen:⏎  host: 127.0.0.1⏎ port: 8080',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen:\n  host: 127.0.0.1\n port: 8080\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 3, column 1: indented differently from what it belongs to, or a bracket is not closed',
    },
  },
  {
    title: 'a tab',
    given: 'veritee config --config veritee.yaml, with listen:⏎⇥port: 8080',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen:\n\tport: 8080\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2, column 1: tabs cannot indent: use spaces',
    },
  },
  {
    title: 'a bracket that is not closed',
    given: 'veritee config --config veritee.yaml, with tpm: { roots: [a.pem',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'tpm: { roots: [a.pem\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2, column 1: indented differently from what it belongs to, or a bracket is not closed',
    },
  },
  {
    title: 'a key that stands there twice',
    given: 'veritee config --config veritee.yaml, with historical: true⏎historical: false',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'historical: true\nhistorical: false\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 2, column 1: this key appears twice',
    },
  },
  {
    title: 'a blank left out after a colon',
    given: 'veritee config --config veritee.yaml, with listen:⏎  port:8080',
    action: {
      args: ['config', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': 'listen:\n  port:8080\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'veritee.yaml line 1: listen: must be an object',
    },
  },
  {
    title: 'a policy directory that does not exist',
    given:
      "veritee serve --config veritee.yaml, with amd: { kds: 'off' }⏎intel: { pcs: 'off' }⏎policies:⏎  directory: ./policy",
    action: {
      args: ['serve', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': "amd: { kds: 'off' }\nintel: { pcs: 'off' }\npolicies:\n  directory: ./policy\n",
      },
    },
    answer: {
      exitCode: 1,
      text: 'policies.directory: ./policy does not exist',
    },
  },
  {
    title: 'a file in the place of the policy directory',
    given: 'veritee serve --config veritee.yaml, with policies:⏎  directory: own.yaml',
    action: {
      args: ['serve', '--config', 'veritee.yaml'],
      files: {
        'veritee.yaml': "amd: { kds: 'off' }\nintel: { pcs: 'off' }\npolicies:\n  directory: own.yaml\n",
        'own.yaml': '',
      },
    },
    answer: {
      exitCode: 1,
      text: 'policies.directory: own.yaml: is a file, and a folder is expected',
    },
  },
  {
    title: 'roots in a file that does not exist',
    given: 'veritee verify body.json --config veritee.yaml, with tpm:⏎  roots: [roots.pem]',
    action: {
      args: ['verify', 'body.json', '--config', 'veritee.yaml'],
      files: {
        'body.json': BODY,
        'veritee.yaml': "amd: { kds: 'off' }\nintel: { pcs: 'off' }\ntpm:\n  roots: [roots.pem]\n",
      },
    },
    answer: {
      exitCode: 1,
      text: 'tpm.roots: roots.pem: there is no such file',
    },
  },
  {
    title: 'keys of an issuer in a file that does not exist',
    given:
      'veritee verify body.json --config veritee.yaml, with ita:⏎  issuers:⏎  - { issuer: "https://ita.example", keys: keys.json }',
    action: {
      args: ['verify', 'body.json', '--config', 'veritee.yaml'],
      files: {
        'body.json': BODY,
        'veritee.yaml':
          "amd: { kds: 'off' }\nintel: { pcs: 'off' }\nita:\n  issuers:\n  - { issuer: \"https://ita.example\", keys: keys.json }\n",
      },
    },
    answer: {
      exitCode: 1,
      text: 'ita.issuers: keys of https://ita.example: keys.json: there is no such file',
    },
  },
  {
    title: 'a list in the place of the configuration',
    given: 'veritee config --config list.yaml, with - listen',
    action: {
      args: ['config', '--config', 'list.yaml'],
      files: {
        'list.yaml': '- listen\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'list.yaml: must be an object',
    },
  },
  {
    title: 'a policy for vTPMs that requires hardware',
    given: 'veritee verify body.json --policy own.yaml, with accepts: [tpm]',
    action: {
      args: ['verify', 'body.json', '--policy', 'own.yaml'],
      files: {
        'body.json': BODY,
        'own.yaml': 'apiVersion: veritee/v1\nid: own\nversion: 1\naccepts: [tpm]\nminimums: any\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'own.yaml: /routes/hardware: must be off, because accepts lists only tpm (policy_member_unused)',
    },
  },
  {
    title: 'a policy file with a wrong member',
    given: 'veritee verify body.json --policy own.yaml, with minimum: any',
    action: {
      args: ['verify', 'body.json', '--policy', 'own.yaml'],
      files: {
        'body.json': BODY,
        'own.yaml': 'apiVersion: veritee/v1\nid: own\nversion: 1\naccepts: [snp]\nminimum: any\n',
      },
    },
    answer: {
      exitCode: 1,
      text: 'own.yaml: line 5: /minimum: unknown key; did you mean minimums? (policy_schema)\nown.yaml: /minimums: is missing (policy_schema)',
    },
  },
];
