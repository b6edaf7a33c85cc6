import { Session } from 'node:inspector/promises';
import { LabService } from '../../test/integration/service/lab-service.js';

/** The files of `src` that one warm `az-snp-vtpm` request runs, by V8's precise coverage, and the number of their functions. */
export async function fileRoad(): Promise<{ readonly files: readonly string[]; readonly functions: number }> {
  const lab = await LabService.create();
  try {
    const service = await lab.start();
    const verify = async () => {
      const { body } = await lab.verify(service);
      if (body.decision !== 'allow') throw new Error(`not allowed: ${JSON.stringify(body.reasons)}`);
    };
    await verify();
    return await coverageOf(verify);
  } finally {
    await lab.close();
  }
}

async function coverageOf(action: () => Promise<void>) {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await action();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const run = result
    .filter(({ url }) => url.includes('/src/'))
    .map(({ url, functions }) => ({
      file: url.slice(url.lastIndexOf('/src/') + 1),
      count: functions.filter(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0).length,
    }))
    .filter(({ count }) => count > 0);
  return { files: run.map(({ file }) => file).sort(), functions: run.reduce((total, { count }) => total + count, 0) };
}
