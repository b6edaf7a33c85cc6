import type { Override } from '../../../src/app/container.js';
import { TOKENS } from '../../../src/app/injection-tokens.js';
import type { VerifierOptions } from '../../../src/tee/verifier-options.js';

/** Takes other roots for Azure's, of certificates of attestation keys; those of the configuration stay. */
export function azureRoots(azure: ReadonlySet<string>): Override {
  return (app) => {
    const options = app.resolve<Required<VerifierOptions>>(TOKENS.verifierOptions);
    app.register(TOKENS.verifierOptions, { useValue: { ...options, akRoots: { ...options.akRoots, azure } } });
  };
}
