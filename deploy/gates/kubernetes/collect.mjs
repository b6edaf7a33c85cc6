#!/usr/local/bin/node
// Asks whoever has the evidence for a /verify body that is made for VERITEE_NONCE, and prints it. What is asked needs no trust:
// the service judges what it says, and the nonce shows that it is new.
import { stdout } from 'node:process';

const { VERITEE_EVIDENCE_URL: base = '', VERITEE_NONCE: nonce = '' } = process.env;
const url = new URL(base);
url.searchParams.set('nonce', nonce);
const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(30_000) });
if (answer.status !== 200) throw new Error(`no evidence: the answer is ${answer.status}`);
stdout.write(await answer.text());
