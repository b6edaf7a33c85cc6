import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type Asked, answerTogether, type Forgotten } from './operations.js';
import { SqliteFile } from './sqlite-file.js';

/**
 * The thread that has the file: while the disk syncs, only this thread waits. Calls that arrive meanwhile form the next
 * transaction.
 */

const port = parentPort;
if (port === null) throw new Error('this module is the body of a worker thread');
const { path, readOnly }: { readonly path: string; readonly readOnly: boolean } = workerData;
// Imports the engine here, so that a load error reaches the thread that started this one.
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
