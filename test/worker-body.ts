import { pathToFileURL } from 'node:url';
import { inject } from 'vitest';
import type { WorkerBody } from '../src/stores/sqlite/worker-body.js';

/** Takes the place of src/stores/sqlite/worker-body.ts in tests. */
export const WORKER_BODY: WorkerBody = { source: pathToFileURL(inject('sqliteWorker')), eval: false };
