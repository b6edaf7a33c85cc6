import { expect } from 'vitest';
import type { Answer } from '../http/exchange.js';
import { base64Url, type LabService } from './lab-service.js';

/** Secrets of the lab's VM that an allow must leave nowhere: receipt, nonce, ids of chip and VM, user data and evidence. */
export function secretsOf(lab: LabService, { body }: Answer, nonce: Uint8Array): readonly string[] {
  const { claims, receipt } = body;
  return [
    receipt.split('.')[2],
    Buffer.from(nonce).toString('hex'),
    Buffer.from(nonce).toString('base64').replace('=', ''),
    base64Url(nonce),
    claims.snp.chipId,
    Buffer.from(claims.snp.chipId, 'hex').toString('base64').slice(0, 40),
    claims.hcl.userData,
    claims.hcl.vmConfiguration.vmUniqueId,
    String(Object(lab.vm.wireEvidence({ nonce }))['hclReport']).slice(100, 200),
  ];
}

export function expectWithout(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    expect(secret).toMatch(/.{8}/);
    expect(text).not.toMatch(new RegExp(secret.replaceAll(/[+/]/g, '\\$&'), 'i'));
  }
}
