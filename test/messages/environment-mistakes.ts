import type { CommandMistake } from './mistake.js';

/** Mistakes in the environment. */
export const ENVIRONMENT_MISTAKES: readonly CommandMistake[] = [
  {
    title: 'a variable that names no key',
    given: "VERITEE__LISTN__PORT='8080' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__LISTN__PORT: '8080',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__LISTN__PORT: unknown key; did you mean VERITEE__LISTEN__PORT?',
    },
  },
  {
    title: 'a path without the kind of store',
    given: "VERITEE__STORES__URL='veritee.db' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__STORES__URL: 'veritee.db',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__STORES__URL: must be sqlite: and a path, or postgres://user@host:port/database',
    },
  },
  {
    title: 'one underscore between levels',
    given: "VERITEE__LISTEN_PORT='8080' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__LISTEN_PORT: '8080',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__LISTEN_PORT: unknown key; did you mean VERITEE__LISTEN__PORT?',
    },
  },
  {
    title: 'a variable that is written small',
    given: "VERITEE__listen__port='8080' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__listen__port: '8080',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__listen__port: unknown key; did you mean VERITEE__LISTEN__PORT?',
    },
  },
  {
    title: 'a variable that resembles none',
    given: "VERITEE__LISTEN__COLOUR='red' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__LISTEN__COLOUR: 'red',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__LISTEN__COLOUR: unknown key; there are VERITEE__LISTEN__HOST, VERITEE__LISTEN__PORT, VERITEE__LISTEN__INSECURE, VERITEE__LISTEN__TLS, VERITEE__LISTEN__TRUSTED_PROXIES, VERITEE__LISTEN__MANAGEMENT',
    },
  },
  {
    title: 'a number that is none',
    given: "VERITEE__LISTEN__PORT='http' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__LISTEN__PORT: 'http',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__LISTEN__PORT: must be a whole number from 0 to 65535',
    },
  },
  {
    title: 'a word in the place of true or false',
    given: "VERITEE__HISTORICAL='yes' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__HISTORICAL: 'yes',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__HISTORICAL: must be true or false',
    },
  },
  {
    title: 'a list that is no JSON',
    given: "VERITEE__TPM__ROOTS='a.pem,b.pem' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__TPM__ROOTS: 'a.pem,b.pem',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__TPM__ROOTS: must be a list in JSON, such as ["a", "b"]',
    },
  },
  {
    title: 'an object that is no JSON',
    given: "VERITEE__LISTEN='port=8080' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__LISTEN: 'port=8080',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__LISTEN: must be JSON, such as {"key": "value"}',
    },
  },
  {
    title: 'a wrong member of an object',
    given: 'VERITEE__LISTEN=\'{"prot":8080}\' veritee config',
    action: {
      args: ['config'],
      environment: {
        VERITEE__LISTEN: '{"prot":8080}',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__LISTEN: listen.prot: unknown key; did you mean port?',
    },
  },
  {
    title: 'an item of a list by its number',
    given: "VERITEE__TPM__ROOTS__0='a.pem' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__TPM__ROOTS__0: 'a.pem',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__TPM__ROOTS__0: unknown key; VERITEE__TPM__ROOTS is given as a whole',
    },
  },
  {
    title: 'nothing where a path is due',
    given: "VERITEE__CHALLENGES__KEY='' veritee config",
    action: {
      args: ['config'],
      environment: {
        VERITEE__CHALLENGES__KEY: '',
      },
    },
    answer: {
      exitCode: 1,
      text: 'VERITEE__CHALLENGES__KEY: must be a path, not empty',
    },
  },
];
