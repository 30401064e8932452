// A large file to the disk through examples/upload.ts, served by the command: whole, with its progress, and with flat memory.
//
// HOWDAH_TEST_UPLOAD_BYTES: how large. A gigabyte takes about ten seconds.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { request as ask, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServe, temporaryDirectory } from '../cli/howdah-process.ts';

const BYTES = Number(process.env['HOWDAH_TEST_UPLOAD_BYTES'] ?? 300_000_000);
const WARM_UP_BYTES = 30_000_000;
/** Much less than the file; what the collector of garbage leaves to the next time is in it. */
const MAX_GROWTH_BYTES = 100_000_000;

const EXAMPLE = fileURLToPath(new URL('../../examples/upload.ts', import.meta.url));

/** Resident memory of a process. */
function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

test(
  'a file of hundreds of megabytes is written with flat memory, and its progress is told',
  { skip: process.platform !== 'linux' && 'the memory of a process is read from /proc' },
  async (t) => {
    using directory = temporaryDirectory();
    const uploads = join(directory.path, 'uploads');
    mkdirSync(uploads);
    const env = { UPLOADS: uploads, PROGRESS: '1' };
    await using server = await startServe(['--memory', EXAMPLE], { cwd: directory.path, env });
    const { pid } = server.process.child;
    const upload = async (bytes: number, name: string): Promise<number> => {
      const begin = Buffer.from(
        `--b\r\ncontent-disposition: form-data; name="f"; filename="${name}"\r\n\r\n`,
      );
      const end = Buffer.from('\r\n--b--\r\n');
      const totalBytes = begin.length + bytes + end.length;
      const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-length': totalBytes };
      const request = ask(`${server.url}/upload`, { method: 'POST', headers, agent: false });
      const answer = once(request, 'response') as Promise<[IncomingMessage]>;
      const chunk = Buffer.alloc(1_048_576, 'x');
      let peak = 0;
      request.write(begin);
      for (let left = bytes; left > 0; left -= chunk.length) {
        peak = Math.max(peak, residentBytes(pid));
        if (!request.write(chunk.subarray(0, Math.min(left, chunk.length)))) await once(request, 'drain');
      }
      request.end(end);
      const [response] = await answer;
      let text = '';
      for await (const piece of response) text += String(piece);
      assert.equal(response.statusCode, 201);
      const [saved] = JSON.parse(text) as [{ name: string; file: string; bytes: number }];
      assert.deepEqual([saved.name, saved.bytes], [name, bytes]);
      assert.equal(statSync(join(uploads, saved.file)).size, bytes);
      await server.process.prints(new RegExp(`${name}: ${bytes} of ${totalBytes}\n`));
      return peak;
    };
    await upload(WARM_UP_BYTES, 'first');
    const before = residentBytes(pid);
    const growth = (await upload(BYTES, 'second')) - before;
    t.diagnostic(`${growth} bytes more in memory`);
    assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes more in memory`);
  },
);
