/** The lab: servers, virtual machines and vendors in software, whose evidence is genuine but for the roots. */

export * from './amd-pki.js';
export * from './bound-value.js';
export * from './byte-patch.js';
export * from './certificate-table-builder.js';
export * from './der-writer.js';
export * from './hcl-report-builder.js';
export * from './lab-keys.js';
export * from './pki.js';
export * from './runtime-claims-builder.js';
export * from './signing.js';
export * from './snp-platform.js';
export * from './snp-report-builder.js';
export * from './tpm-quote-builder.js';
export * from './virtual-machine.js';
export * from './vtpm.js';
export * from './wire-evidence.js';
