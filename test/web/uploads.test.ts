// Files on their way to a directory over real sockets, of every protocol: what is left of them when a limit is met half-way, or a client
// leaves.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { multipart } from '../../src/web/multipart.ts';
import { route } from '../../src/web/route.ts';
import { answerTo, TRANSPORTS, type Asked, type CaseClient } from '../server/case-clients.ts';
import { startApplication, type ApplicationFixture } from '../support/application-fixture.ts';

const MAX_PART_BYTES = 3_000_000;
const MAX_BODY_BYTES = 4_000_000;
const BEGIN = Buffer.from('--b\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n');
const END = Buffer.from('\r\n--b--\r\n');
const TYPE = { 'content-type': 'multipart/form-data; boundary=b' };

for (const transport of TRANSPORTS) {
  describe(`a file that is sent over ${transport.name}`, () => {
    let directory = '';
    let app: ApplicationFixture;
    let client: CaseClient;
    let ended = Promise.withResolvers<unknown>();

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'howdah-upload-'));
      const save = async (request: Request, maxPartBytes: number): Promise<Response> => {
        try {
          for await (const part of multipart(request, { maxPartBytes }))
            await part.save(join(directory, part.name));
          ended.resolve(null);
          return new Response('saved', { status: 201 });
        } catch (error) {
          ended.resolve(error);
          throw error;
        }
      };
      const options = { maxBodyBytes: MAX_BODY_BYTES };
      app = await startApplication(
        {
          routes: [
            route('POST /part', options, (request) => save(request, MAX_PART_BYTES)),
            route('POST /body', options, (request) => save(request, Infinity)),
          ],
        },
        { listener: transport.listener },
      );
      client = transport.connect(app.port);
    });
    after(async () => {
      client.close();
      await app[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    });

    const post = (path: string, headers = {}): Asked => {
      ended = Promise.withResolvers<unknown>();
      return client.ask(path, { method: 'POST', headers: { ...TYPE, ...headers } });
    };

    /** Sends the beginning of the file, and waits until it is on its way to the disk. */
    const begin = async (sink: Writable, bytes: number): Promise<void> => {
      sink.write(BEGIN);
      await send(sink, bytes);
      while (!readdirSync(directory).some((name) => name.endsWith('.part'))) await new Promise(setImmediate);
    };

    it('is there when all of it is, of just the size that is allowed', async () => {
      const asked = post('/part');
      await begin(asked.sink, 1_000_000);
      assert.ok(!readdirSync(directory).includes('f'), 'as long as it is not whole');
      await send(asked.sink, MAX_PART_BYTES - 1_000_000);
      asked.sink.end(END);
      const { status, body } = await answerTo(asked);
      assert.deepEqual([status, body], [201, 'saved']);
      assert.deepEqual(readdirSync(directory), ['f']);
      assert.equal(readFileSync(join(directory, 'f')).length, MAX_PART_BYTES);
      rmSync(join(directory, 'f'));
    });

    for (const [path, limit] of [
      ['/part', MAX_PART_BYTES],
      ['/body', MAX_BODY_BYTES],
    ] as const) {
      it(`leaves nothing behind where ${path.slice(1)} is found to be too large half-way, which is a 413`, async () => {
        const asked = post(path);
        await begin(asked.sink, 1_000_000);
        const answer = answerTo(asked);
        const sending = send(asked.sink, limit - 999_999);
        assert.equal((await answer).status, 413);
        await Promise.race([sending, ended.promise]);
        assert.match(String(await ended.promise), /larger than allowed/);
        assert.deepEqual(readdirSync(directory), []);
        // The connection of HTTP/1.1 ends with it.
        if (transport.name.startsWith('http')) asked.sink.destroy();
      });
    }

    it('is not begun where it is announced to be too large', async () => {
      const asked = post('/body', { 'content-length': MAX_BODY_BYTES + 1 });
      asked.sink.write(BEGIN);
      assert.equal((await answerTo(asked)).status, 413);
      assert.deepEqual(readdirSync(directory), []);
      asked.sink.destroy();
    });

    it('leaves nothing behind where the client leaves half-way', async () => {
      const asked = post('/part');
      await begin(asked.sink, 1_000_000);
      asked.leave();
      assert.ok((await ended.promise) instanceof Error);
      assert.deepEqual(readdirSync(directory), []);
    });
  });
}

/** As fast as they are taken; not to the end where nobody takes them any more. */
async function send(sink: Writable, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, 'x');
  for (let left = bytes; left > 0 && !sink.destroyed; left -= chunk.length) {
    if (sink.write(chunk.subarray(0, Math.min(left, chunk.length)))) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        sink.off('drain', go).off('close', go);
        resolve();
      };
      sink.on('drain', go).on('close', go);
    });
  }
}
