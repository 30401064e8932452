// rest(): every way through its decisions, and what the responses say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { flowDocument } from '../../scripts/rest-diagram-text.ts';
import type { Context } from '../../src/web/handler.ts';
import { FLOW } from '../../src/web/rest/rest-flow.ts';
import { observedRest, type RestResource } from '../../src/web/rest/rest.ts';
import { CASES, hello, type Asked } from './rest-cases.ts';

const context = {} as Context;
const walked = new Set<string>();

async function ask(
  resource: RestResource,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<Response> {
  const handler = observedRest(resource, (step, answer) => walked.add(`${step}: ${answer}`));
  const init = { method, headers, ...(body === undefined ? {} : { body }) };
  return handler(new Request('http://h/thing', init), context);
}

describe('the flow', () => {
  for (const [name, resource, asked, status, headers = {}, body] of CASES) {
    test(`${name}: ${status}`, async () => {
      const response = await ask(resource, asked);
      assert.equal(response.status, status);
      for (const [field, value] of Object.entries(headers))
        assert.equal(response.headers.get(field), value, field);
      const text = await response.text();
      if (typeof body === 'string') assert.equal(text, body);
      else if (body !== undefined) assert.match(text, body);
    });
  }

  after(() => {
    const all = Object.entries(FLOW).flatMap(([step, { answers }]) =>
      Object.keys(answers).map((to) => `${step}: ${to}`),
    );
    assert.deepEqual(
      all.filter((edge) => !walked.has(edge)),
      [],
      'ways that no case goes',
    );
  });

  test('has a step for each of its targets, and reaches each step', () => {
    const targets = new Set(Object.values(FLOW).flatMap(({ answers }) => Object.values(answers)));
    for (const target of targets) if (typeof target === 'string') assert.ok(target in FLOW, target);
    for (const step of Object.keys(FLOW).slice(1)) assert.ok(targets.has(step), step);
  });
});

describe('callbacks', () => {
  test('may answer by themselves, with what was collected so far', async () => {
    const response = await ask({
      ...hello,
      isAuthorized: (_request, _context, { headers }) => {
        headers.set('x-collected', '1');
        return new Response('teapot', { status: 418, headers: { 'x-own': '2' } });
      },
    });
    assert.deepEqual(
      [
        response.status,
        await response.text(),
        response.headers.get('x-collected'),
        response.headers.get('x-own'),
      ],
      [418, 'teapot', '1', '2'],
    );
  });

  test('may provide bytes, streams, iterables, responses and nothing', async () => {
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      yield Buffer.from(await Promise.resolve('b'));
    }
    const bodies: readonly [RestResource['provides'], string, string | null][] = [
      [{ 'text/plain': () => Buffer.from('ab') }, 'ab', 'text/plain; charset=utf-8'],
      [{ 'text/csv; charset=latin1': () => new Blob(['ab']).stream() }, 'ab', 'text/csv; charset=latin1'],
      [{ 'image/png': () => parts() }, 'ab', 'image/png'],
      [{ 'text/plain': () => Response.json({ a: 1 }) }, '{"a":1}', 'application/json'],
      [
        { 'text/plain': () => new Response('moved', { status: 302, headers: { location: '/' } }) },
        'moved',
        'text/plain;charset=UTF-8',
      ],
      [{ 'text/plain': () => null }, '', null],
    ];
    for (const [provides, text, type] of bodies) {
      const response = await ask({ provides } as RestResource);
      assert.deepEqual([await response.text(), response.headers.get('content-type')], [text, type]);
    }
  });

  test('make the content of errors', async () => {
    const resource: RestResource = {
      ...hello,
      malformedRequest: () => 'why',
      errorBody: (status, detail) => Response.json({ status, detail }),
    };
    const response = await ask(resource);
    assert.deepEqual([response.status, await response.json()], [400, { status: 400, detail: 'why' }]);
    const plain = await ask({ ...resource, errorBody: () => undefined });
    assert.match(await plain.text(), /^400 Bad Request/);
  });

  test('that throw, or give an entity tag that is none, are the caller’s to answer', async () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    await assert.rejects(ask({ ...hello, forbidden: boom }), /boom/);
    await assert.rejects(ask({ ...hello, etag: () => 'no quotes' }), /"no quotes", which is none/);
  });

  test('for types that are none are refused when the handler is made', async () => {
    await assert.rejects(ask({ provides: { html: () => '' } }), /"html", which is no media type/);
    await assert.rejects(
      ask({ accepts: { 'text/plain': 'x' as never } }),
      /accepts of text\/plain is no function/,
    );
  });
});

test('the diagram in the documents is that of the flow', async () => {
  const page = readFileSync(new URL('../../docs/rest.md', import.meta.url), 'utf8');
  assert.equal(await flowDocument(page), page, 'npm run rest-diagram');
});
