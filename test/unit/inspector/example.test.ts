import { describe, expect, it } from 'vitest';
import { type Example, noteOn } from '../../../src/inspector/example.js';

const example = {
  title: 'SEV-SNP that may be debugged',
  recordedAt: '2026-11-27T12:00:00.000Z',
  answer: { decision: 'deny', reasons: ['snp_debug'] },
} as unknown as Example;

describe('what is said of an example', () => {
  it('is that nobody judged it now', () => {
    expect(noteOn({ example, state: 'recorded' }, example.answer)).toBe(
      "Recorded at 2026-11-27T12:00:00.000Z with the test lab's roots, which no service trusts; not judged now.",
    );
  });

  it('is why a service that judges it now is right to refuse it', () => {
    const said = noteOn({ example, state: 'judged' }, { decision: 'deny', reasons: ['cert_untrusted'] });
    expect(said).toMatch(/^Judged by this service now\. It is right to refuse the example \(cert_untrusted\)/);
    expect(said).toMatch(/it was recorded as: deny snp_debug\.$/);
  });

  it.each([[{ decision: 'indeterminate', reasons: ['vcek_unavailable'] } as const], [null]])(
    'is no more than that where it was not refused for its root: %j',
    (decision) => {
      const said = noteOn({ example, state: 'judged' }, decision);
      expect(said).toMatch(/^Judged by this service now, which does not trust the roots of the test lab\./);
      expect(said).not.toContain('cert_untrusted');
    },
  );
});
