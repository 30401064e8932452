// A browser (Chromium) over HTTP/2 with TLS: a page with its assets, uploads and downloads, a cancelled download.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { launchBrowser, type Tab, type TestBrowser } from '../support/browser.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';
import { startHttp, type HttpFixture } from '../support/http-fixture.ts';

const BYTES = 3_000_000;
const IMAGES = 40;

const PAGE = `<!doctype html>
<title>loading</title>
<link rel="stylesheet" href="/style.css">
<body><p id="styled">text</p>${Array.from({ length: IMAGES }, (_, i) => `<img src="/image/${i}.svg">`).join('')}
<script type="module" src="/module.js"></script>`;
const ASSETS: Readonly<Record<string, readonly [type: string, body: string]>> = {
  '/': ['text/html; charset=utf-8', PAGE],
  '/style.css': ['text/css', '#styled { color: rgb(1, 2, 3) }'],
  '/module.js': ['text/javascript', "import { title } from '/imported.js'; document.title = title;"],
  '/imported.js': ['text/javascript', "export const title = 'loaded';"],
};
const IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';

const byteAt = (i: number): number => (i * 31) & 0xff;
const CONTENT = Buffer.from(Array.from({ length: BYTES }, (_, i) => byteAt(i)));

/** Resolves when the client has left the download that never ends. */
const left = Promise.withResolvers<void>();

async function* forEver(): AsyncGenerator<Buffer> {
  try {
    for (;;) {
      yield Buffer.alloc(16_384);
      await new Promise(setImmediate);
    }
  } finally {
    left.resolve();
  }
}

function serve(exchange: Exchange): void {
  const { path, method } = exchange.head;
  const asset = path.startsWith('/image/') ? (['image/svg+xml', IMAGE] as const) : ASSETS[path];
  if (asset !== undefined) {
    exchange.respond({ status: 200, fields: ['content-type', asset[0]], body: asset[1] });
  } else if (path === '/echo') {
    exchange.collectBody(BYTES, (body) => {
      exchange.respond({ status: 200, fields: ['x-method', method], body });
    });
  } else if (path === '/download') {
    exchange.respond({ status: 200, fields: [], body: CONTENT });
  } else if (path === '/endless') {
    exchange.respondStreamed({ status: 200, fields: [], body: forEver() });
  } else {
    exchange.fail(404);
  }
}

describe('Chromium over HTTP/2 with TLS', () => {
  let browser: TestBrowser;
  let http: HttpFixture;
  let tab: Tab;
  let origin: string;

  before(async () => {
    const authority = await makeAuthority('browser test authority');
    const leaf = parseCertificate({ ...(await signCertificate(authority, 'localhost')), hostNames: [] });
    http = await startHttp(serve, { listener: { tls: { certificates: new CertificateSet([leaf]) } } });
    origin = `https://127.0.0.1:${http.port}`;
    browser = await launchBrowser();
    tab = await browser.openTab();
    await tab.page.goto(`${origin}/`, { waitUntil: 'load' });
  });

  after(async () => {
    await browser[Symbol.asyncDispose]();
    await http[Symbol.asyncDispose]();
  });

  /** The value of an asynchronous function's body, run in the page. */
  const inPage = (body: string): Promise<unknown> => tab.page.evaluate(`(async () => { ${body} })()`);

  test('a page with its style sheet, modules and images is loaded over one connection', async () => {
    assert.equal(await tab.page.title(), 'loaded', tab.log.join('\n'));
    assert.equal(
      await inPage("return getComputedStyle(document.getElementById('styled')).color"),
      'rgb(1, 2, 3)',
    );
    const images = await inPage(
      'return [...document.images].filter((image) => image.naturalWidth > 0).length',
    );
    assert.equal(images, IMAGES);
    const protocols = (await inPage(`
      const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
      return entries.filter(({ name }) => !name.endsWith('/favicon.ico')).map((entry) => entry.nextHopProtocol)`)) as string[];
    assert.equal(protocols.length, IMAGES + Object.keys(ASSETS).length);
    assert.deepEqual([...new Set(protocols)], ['h2']);
    assert.equal(http.server.connections, 1);
  });

  test('fetch downloads a body that is larger than the windows, whole', async () => {
    const sum = await inPage(`
      const bytes = new Uint8Array(await (await fetch('/download')).arrayBuffer());
      return [bytes.length, bytes.every((byte, i) => byte === ((i * 31) & 0xff))]`);
    assert.deepEqual(sum, [BYTES, true]);
  });

  test('fetch uploads a body that is larger than the windows, and gets it back', async () => {
    const echoed = await inPage(`
      const bytes = Uint8Array.from({ length: ${BYTES} }, (_, i) => (i * 31) & 0xff);
      const response = await fetch('/echo', { method: 'POST', body: bytes });
      const back = new Uint8Array(await response.arrayBuffer());
      return [response.headers.get('x-method'), back.length, back.every((byte, i) => byte === bytes[i])]`);
    assert.deepEqual(echoed, ['POST', BYTES, true]);
  });

  test('fetch streams a request body while the page still makes it', async () => {
    const echoed = await inPage(`
      let n = 0;
      const body = new ReadableStream({
        pull(controller) {
          if (n++ < 5) controller.enqueue(new TextEncoder().encode('piece ' + n + '; '));
          else controller.close();
        },
      });
      const response = await fetch('/echo', { method: 'POST', body, duplex: 'half' });
      return response.text()`);
    assert.equal(echoed, 'piece 1; piece 2; piece 3; piece 4; piece 5; ');
  });

  test('fifty requests at a time are all answered', async () => {
    const answers = await inPage(`
      const asked = Array.from({ length: 50 }, (_, i) => fetch('/echo', { method: 'PUT', body: 'number ' + i }));
      return Promise.all(asked.map(async (response) => (await response).text()))`);
    assert.deepEqual(
      answers,
      Array.from({ length: 50 }, (_, i) => `number ${i}`),
    );
  });

  test('a download that the page aborts ends the handler’s work, and the connection goes on', async () => {
    const aborted = await inPage(`
      const abort = new AbortController();
      const response = await fetch('/endless', { signal: abort.signal });
      const reader = response.body.getReader();
      await reader.read();
      abort.abort();
      const error = await reader.read().catch((error) => error.name);
      return [error, (await fetch('/style.css')).status]`);
    assert.deepEqual(aborted, ['AbortError', 200]);
    await left.promise;
    assert.equal(http.server.connections, 1);
  });
});
