import { writeModules } from './write-modules.js';

/** Makes everything that is generated, each file once. Documents import `src`, which needs the modules. */
await writeModules();
const { writeDocuments } = await import('./documents.js');
await writeDocuments();
