import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Asked, answerTogether, type Forgotten } from './operations.js';
import { SqliteFile } from './sqlite-file.js';

/**
 * The thread that has the file: while the disk syncs, only this thread waits. What was asked meanwhile is the next
 * transaction.
 */

const port = parentPort;
if (port === null) throw new Error('this module is the body of a worker thread');
const { path, readOnly }: { readonly path: string; readonly readOnly: boolean } = workerData;
// Not before: where the engine does not load, whoever started the thread is told why.
const { default: engine } = await import('libsql');
const file = new SqliteFile(engine, path, { readOnly });
file.open();

port.on('message', (first: Asked | Forgotten | 'close') => {
  const messages: (Asked | Forgotten | 'close')[] = [first];
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    messages.push(next.message);
  }
  const asked = messages.filter((message) => message !== 'close');
  for (const answer of answerTogether(file, asked)) port.postMessage(answer);
  if (asked.length === messages.length) return;
  file.close();
  port.close();
});
port.postMessage('open');
