import type { Configuration } from '../../config/configuration.js';
import { configurationProblem } from '../../config/configuration-problem.js';
import type { LintProblem } from '../../core/lint-problem.js';
import type { KeyPath } from '../../core/places.js';
import { AmdDirectory } from '../../endorsements/amd/amd-directory.js';
import { AkIssuerFolder } from '../../endorsements/attestation-keys/ak-issuer-folder.js';
import type { EndingFile, NamedFile } from '../../endorsements/files/material-files.js';
import type { FolderOptions, WatchedFolder } from '../../endorsements/files/watched-folder.js';
import { CollateralDirectory } from '../../endorsements/intel/collateral-directory.js';
import { CollateralReader } from '../../tee/tdx/intel/collateral.js';
import { INTEL_SGX_ROOT_PINS } from '../../tee/tdx/intel/roots.js';
import { servedPins } from '../amd-lines.js';
import { missingFolders } from './load-warnings.js';
import { ProblemLog } from './problem-log.js';
import type { Problems } from './problems.js';

/** The content of the operator's folders of endorsements. */
export interface EndorsementFolders {
  /** Certificates of `tpm.intermediates`, in DER, by the names of their files. */
  readonly akIssuers: readonly NamedFile[];
  /** CRLs and collateral of the other folders. */
  readonly endorsements: (at: Date) => readonly EndingFile[];
}

/** Stands for folders that are not read, since a key that names one is wrong. */
export const NO_FOLDERS: EndorsementFolders = { akIssuers: [], endorsements: () => [] };

/** Checks the folders of endorsements, and returns their content. */
export async function checkEndorsementFolders(
  configuration: Configuration,
  found: Problems,
): Promise<EndorsementFolders> {
  const missing = (await missingFolders(configuration)).map(({ fields: { key, folder, why } }) => {
    return { path: key.split('.'), what: `${folder}: ${why}` };
  });
  found.place('config_missing', missing);
  const { problems, ...folders } = await readFolders(configuration);
  found.add(problems);
  return folders;
}

/** Reads the folders of endorsements once, as the service does at its start. */
async function readFolders(
  configuration: Configuration,
): Promise<EndorsementFolders & { readonly problems: readonly LintProblem[] }> {
  const { amd, intel, tpm } = configuration;
  const read = async <F extends WatchedFolder>(path: KeyPath, open: (options: Omit<FolderOptions, 'folder'>) => F) => {
    const log = new ProblemLog((severity, { file, why }) =>
      configurationProblem(severity === 'error' ? 'config_missing' : 'config_unused', {
        path,
        what: file === undefined ? `cannot be read: ${why ?? 'unknown fault'}` : `${file}: ${why}`,
      }),
    );
    const folder = open({ log, pollMs: 0 });
    await folder.refresh();
    return { folder, problems: log.problems };
  };
  const reader = new CollateralReader(INTEL_SGX_ROOT_PINS);
  const ofAmd = await read(
    ['amd', 'chains'],
    (options) => new AmdDirectory({ ...options, folder: amd.chains, pins: servedPins(configuration) }),
  );
  const ofIntel = await read(
    ['intel', 'collateral'],
    (options) => new CollateralDirectory({ ...options, folder: intel.collateral, reader }),
  );
  const ofKeys = await read(
    ['tpm', 'intermediates'],
    (options) => new AkIssuerFolder({ ...options, folder: tpm.intermediates }),
  );
  return {
    akIssuers: ofKeys.folder.certificates,
    endorsements: (at) => [...ofAmd.folder.endings, ...ofIntel.folder.endings(at)],
    problems: [...ofAmd.problems, ...ofIntel.problems, ...ofKeys.problems],
  };
}
