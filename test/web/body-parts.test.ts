// Bodies of requests as JSON, as forms and in parts.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { HowdahError, type ErrorCode } from '../../src/errors.ts';
import { multipart, type Part, type Progress } from '../../src/web/multipart.ts';
import { readBytes, readForm, readJson } from '../../src/web/read-body.ts';

const directory = mkdtempSync(join(tmpdir(), 'howdah-parts-'));
after(() => rmSync(directory, { recursive: true, force: true }));

type Body = NonNullable<ConstructorParameters<typeof Request>[1]>['body'];
const post = (type: string, body: Body): Request =>
  new Request('http://h/', {
    method: 'POST',
    headers: { 'content-type': type },
    body: body ?? null,
    duplex: 'half',
  });

const code =
  (expected: ErrorCode) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof HowdahError, String(error));
    assert.equal(error.code, expected);
    return true;
  };

describe('JSON', () => {
  test('is a value, with its type and a limit', async () => {
    assert.deepEqual(await readJson(post('application/json', '{"a":[1]}')), { a: [1] });
    assert.equal(await readJson(post('application/problem+json; charset=utf-8', '5')), 5);
    await assert.rejects(readJson(post('text/plain', '5')), code('HOWDAH_BODY_TYPE'));
    await assert.rejects(readJson(post('application/json', '{"a"')), code('HOWDAH_BODY_MALFORMED'));
    await assert.rejects(readJson(post('application/json', '')), code('HOWDAH_BODY_MALFORMED'));
    await assert.rejects(
      readJson(post('application/json', Buffer.of(0x22, 0xff, 0x22))),
      code('HOWDAH_BODY_MALFORMED'),
    );
    const limit = { limitBytes: 10 };
    assert.equal(await readJson(post('application/json', '"12345678"'), limit), '12345678');
    await assert.rejects(
      readJson(post('application/json', '"123456789"'), limit),
      code('HOWDAH_BODY_TOO_LARGE'),
    );
  });
});

describe('a form', () => {
  const TYPE = 'application/x-www-form-urlencoded';
  test('that is urlencoded has fields', async () => {
    const form = await readForm(post(TYPE, 'a=1&b=x+y%26&a=2'));
    assert.deepEqual([form.getAll('a'), form.get('b')], [['1', '2'], 'x y&']);
    await assert.rejects(readForm(post('text/plain', 'a=1')), code('HOWDAH_BODY_TYPE'));
    await assert.rejects(readForm(post(TYPE, 'a&'.repeat(10_000))), code('HOWDAH_BODY_TOO_LARGE'));
    await assert.rejects(readForm(post(TYPE, 'a=1'), { limitBytes: 2 }), code('HOWDAH_BODY_TOO_LARGE'));
  });
});

test('a body without an announced length is not read beyond its limit', async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulled += 1;
      controller.enqueue(new Uint8Array(1000));
    },
  });
  await assert.rejects(
    readBytes(post('text/plain', endless), { limitBytes: 5000 }),
    code('HOWDAH_BODY_TOO_LARGE'),
  );
  assert.ok(pulled < 10, `${pulled} pieces`);
  assert.equal((await readBytes(new Request('http://h/'))).length, 0);
});

const BOUNDARY = 'XbX';
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`;
function part(disposition: string, content: string, type = ''): string {
  const contentType = type === '' ? '' : `Content-Type: ${type}\r\n`;
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n${contentType}\r\n${content}\r\n`;
}
const END = `--${BOUNDARY}--\r\n`;
const FORM =
  part('name="title"', 'A käfer') +
  part('name="file"; filename="../../etc/b.txt"', 'line\r\n--Xb\r\n', 'text/plain') +
  part('name="empty"; filename=""', '', 'application/octet-stream') +
  END;

async function all(request: Request): Promise<[string, string | null, string, string][]> {
  const found: [string, string | null, string, string][] = [];
  for await (const { name, filename, contentType, ...rest } of wrap(request)) {
    found.push([name, filename, contentType, await rest.text()]);
  }
  return found;
}
async function* wrap(request: Request) {
  for await (const each of multipart(request)) {
    yield {
      name: each.name,
      filename: each.filename,
      contentType: each.contentType,
      text: () => each.text(),
    };
  }
}

describe('a body in parts', () => {
  const EXPECTED = [
    ['title', null, 'text/plain', 'A käfer'],
    ['file', 'b.txt', 'text/plain', 'line\r\n--Xb\r\n'],
    ['empty', '', 'application/octet-stream', ''],
  ];

  test('is given part by part', async () => {
    assert.deepEqual(await all(post(TYPE, FORM)), EXPECTED);
  });

  test('that comes byte by byte is the same', async () => {
    const bytes = Buffer.from(FORM);
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (at === bytes.length) controller.close();
        else controller.enqueue(bytes.subarray(at, ++at));
      },
    });
    assert.deepEqual(await all(post(TYPE, body)), EXPECTED);
  });

  test('as the platform makes it is understood', async () => {
    const form = new FormData();
    form.set('a', '1');
    form.set('b', new File(['content'], 'ä.bin', { type: 'image/png' }));
    const request = new Request('http://h/', { method: 'POST', body: form });
    assert.deepEqual(await all(request), [
      ['a', null, 'text/plain', '1'],
      ['b', 'ä.bin', 'image/png', 'content'],
    ]);
  });

  test('has parts that may be left out', async () => {
    const names: string[] = [];
    for await (const each of multipart(post(TYPE, part('name="x"', 'x'.repeat(300_000)) + FORM)))
      names.push(each.name);
    assert.deepEqual(names, ['x', 'title', 'file', 'empty']);
  });

  test('is left without its end being read', async () => {
    let cancelled = false;
    const head = Buffer.from(part('name="x"', 'x'.repeat(1000)));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(head),
      pull: (controller) => controller.enqueue(Buffer.alloc(1000, 'y')),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const each of multipart(post(TYPE, body))) {
      assert.equal(each.name, 'x');
      break;
    }
    assert.equal(cancelled, true);
  });

  test('is read no faster than its parts are', async () => {
    let pulled = 0;
    const head = Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\n`,
    );
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(head),
      pull: (controller) => {
        if (++pulled === 1000) {
          controller.enqueue(Buffer.from(`\r\n${END}`));
          controller.close();
        } else controller.enqueue(Buffer.alloc(16_384, 'y'));
      },
    });
    for await (const each of multipart(post(TYPE, body))) {
      for (let i = 0; i < 200; i++) await new Promise(setImmediate);
      assert.ok(pulled < 50, `${pulled} pieces are in memory`);
      let length = 0;
      for await (const chunk of each) length += chunk.length;
      assert.equal(length, 999 * 16_384);
    }
  });

  const malformed: readonly [what: string, body: string][] = [
    ['nothing', ''],
    ['no boundary', 'plain text'],
    ['an end in the middle of a part', FORM.slice(0, 150)],
    ['an end before the last boundary', FORM.slice(0, -END.length - 2)],
    ['an end in the fields of a part', FORM.slice(0, 40)],
  ];
  for (const [what, body] of malformed) {
    test(`that has ${what} is malformed`, async () => {
      await assert.rejects(all(post(TYPE, body)), code('HOWDAH_BODY_MALFORMED'));
    });
  }

  test('of another type, or without a boundary, is refused', () => {
    for (const type of [
      'text/plain',
      'multipart/form-data',
      'multipart/mixed; boundary=x',
      'multipart/form-data; boundary=',
    ]) {
      assert.throws(() => multipart(post(type, FORM)), code('HOWDAH_BODY_TYPE'), type);
    }
  });

  test('of too many parts, or one that is too large, is refused', async () => {
    const many = async (): Promise<void> => {
      for await (const each of multipart(post(TYPE, FORM), { maxParts: 2 })) await each.text();
    };
    await assert.rejects(many(), code('HOWDAH_BODY_TOO_LARGE'));
    const large = async (maxPartBytes: number): Promise<void> => {
      for await (const each of multipart(post(TYPE, part('name="x"', '12345') + END), { maxPartBytes }))
        await each.text();
    };
    await large(5);
    await assert.rejects(large(4), code('HOWDAH_BODY_TOO_LARGE'));
    const text = async (): Promise<void> => {
      for await (const each of multipart(post(TYPE, part('name="x"', '12345') + END))) await each.text(4);
    };
    await assert.rejects(text(), code('HOWDAH_BODY_TOO_LARGE'));
  });
});

function* pieces(body: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += 16_384) yield new Uint8Array(body.subarray(at, at + 16_384));
}

describe('a part that is saved', () => {
  const save = async (
    request: Request,
    use: (part: Part) => Promise<unknown>,
    maxPartBytes = Infinity,
  ): Promise<void> => {
    for await (const each of multipart(request, { maxPartBytes })) await use(each);
  };

  test('is a file when all of it is there, and tells its progress', async () => {
    const path = join(directory, 'saved');
    writeFileSync(path, 'before');
    const progress: Progress[] = [];
    const content = 'x'.repeat(500_000);
    const body = Buffer.from(part('name="f"; filename="f"', content) + END);
    const request = new Request('http://h/', {
      method: 'POST',
      headers: { 'content-type': TYPE, 'content-length': String(body.length) },
      body: ReadableStream.from(pieces(body)),
      duplex: 'half',
    });
    let size = 0;
    await save(request, async (each) => {
      size = await each.save(path, { onProgress: (seen) => progress.push(seen) });
    });
    assert.equal(size, 500_000);
    assert.equal(readFileSync(path, 'utf8'), content);
    assert.deepEqual(progress.at(-1), { bytes: 500_000, totalBytes: body.length });
    assert.ok(progress.length > 3);
    assert.deepEqual(readdirSync(directory), ['saved']);
  });

  test('is written with flat memory, however large it is', async () => {
    const path = join(directory, 'large');
    const CHUNK = new Uint8Array(65_536).fill(120);
    const CHUNKS = 3200;
    function* body(): Generator<Uint8Array> {
      yield Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n`);
      for (let i = 0; i < CHUNKS; i++) yield CHUNK.slice();
      yield Buffer.from(`\r\n${END}`);
    }
    let peak = 0;
    let size = 0;
    const before = process.memoryUsage().arrayBuffers;
    await save(post(TYPE, ReadableStream.from(body())), async (each) => {
      size = await each.save(path, {
        onProgress: () => {
          peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        },
      });
    });
    assert.equal(size, CHUNKS * CHUNK.length);
    // What is not collected yet is counted, too.
    assert.ok(peak < size / 2, `${peak} bytes in memory`);
    rmSync(path);
  });

  const FILE = part('name="f"; filename="f"', 'x'.repeat(500_000));
  const failing: readonly [what: string, run: () => Promise<void>, code: ErrorCode][] = [
    [
      'is too large',
      () => save(post(TYPE, FILE + END), (each) => each.save(join(directory, 'f')), 100_000),
      'HOWDAH_BODY_TOO_LARGE',
    ],
    [
      'is cut off',
      () => save(post(TYPE, FILE.slice(0, 400_000)), (each) => each.save(join(directory, 'f'))),
      'HOWDAH_BODY_MALFORMED',
    ],
  ];
  for (const [what, run, expected] of failing) {
    test(`and ${what} leaves no file`, async () => {
      await assert.rejects(run(), code(expected));
      assert.equal(existsSync(join(directory, 'f')), false);
      assert.deepEqual(readdirSync(directory), ['saved']);
    });
  }

  test('leaves no file where the client leaves, or the progress callback throws', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from(FILE.slice(0, 300_000))),
      pull: (controller) => controller.error(new Error('the client left')),
    });
    await assert.rejects(
      save(post(TYPE, body), (each) => each.save(join(directory, 'f'))),
      /the client left/,
    );
    const throwing = (each: Part): Promise<number> =>
      each.save(join(directory, 'f'), {
        onProgress: () => {
          throw new Error('stop');
        },
      });
    await assert.rejects(save(post(TYPE, FILE + END), throwing), /stop/);
    assert.deepEqual(readdirSync(directory), ['saved']);
  });

  test('to where nothing can be written is an error, and the request goes on', async () => {
    let failure: unknown;
    const names: string[] = [];
    await save(post(TYPE, FILE + FORM), async (each) => {
      names.push(each.name);
      if (each.name === 'f')
        await each.save(join(directory, 'none/f')).catch((error: unknown) => (failure = error));
    });
    assert.equal((failure as NodeJS.ErrnoException).code, 'ENOENT');
    assert.deepEqual(names, ['f', 'title', 'file', 'empty']);
  });
});
