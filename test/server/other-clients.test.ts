// Clients that share no code with howdah or Node.js, over TLS and in clear: curl, nghttp, h2load, python3-h2.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CertificateSet } from '../../src/transport/certificate-set.ts';
import { parseCertificate } from '../../src/transport/certificate.ts';
import type { Exchange } from '../../src/web/exchange.ts';
import { makeAuthority, signCertificate } from '../support/certificates.ts';
import { startHttp, type HttpFixture } from '../support/http-fixture.ts';

const execute = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'howdah-clients-'));
after(() => rmSync(directory, { recursive: true }));

const authority = await makeAuthority('client test authority');
const leaf = parseCertificate({ ...(await signCertificate(authority, 'localhost')), hostNames: [] });
const caFile = join(directory, 'ca.pem');
const bodyFile = join(directory, 'body');
writeFileSync(caFile, authority.certificate);
writeFileSync(bodyFile, 'b'.repeat(300_000));

const answer = (exchange: Exchange): void => {
  exchange.collectBody(1_000_000, (body) => {
    const { path, version } = exchange.head;
    const echoed = path === '/echo' ? body : `${version} ${exchange.scheme} ${path} ${body.length}`;
    exchange.respond({ status: 200, fields: ['content-type', 'text/plain'], body: echoed });
  });
};

const clear = (): Promise<HttpFixture> => startHttp(answer);
const secure = (): Promise<HttpFixture> =>
  startHttp(answer, { listener: { tls: { certificates: new CertificateSet([leaf]) } } });

async function run(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(command, args, {
    encoding: 'latin1',
    maxBuffer: 10_000_000,
    timeout: 30_000,
  });
  return stdout;
}

describe('curl', () => {
  const curl = (port: number, scheme: string, ...args: string[]): Promise<string> => {
    const common = ['--silent', '--show-error', '--fail', '--cacert', caFile];
    const host = ['--resolve', `localhost:${port}:127.0.0.1`];
    const report = ['--write-out', ' in %{http_version}', '--data-binary', `@${bodyFile}`];
    return run('curl', ...common, ...host, ...report, ...args, `${scheme}://localhost:${port}/path`);
  };

  test('over TLS: HTTP/1.1 and HTTP/2', async () => {
    await using http = await secure();
    assert.equal(await curl(http.port, 'https', '--http1.1'), '1.1 https /path 300000 in 1.1');
    assert.equal(await curl(http.port, 'https', '--http2'), '2 https /path 300000 in 2');
  });

  test('in clear: HTTP/1.0, HTTP/1.1, HTTP/2 with prior knowledge', async () => {
    await using http = await clear();
    assert.equal(await curl(http.port, 'http', '--http1.0'), '1.0 http /path 300000 in 1.1');
    assert.equal(await curl(http.port, 'http', '--http1.1'), '1.1 http /path 300000 in 1.1');
    assert.equal(await curl(http.port, 'http', '--http2-prior-knowledge'), '2 http /path 300000 in 2');
  });

  test('in clear: HTTP/2 by upgrade, for a request without a body', async () => {
    await using http = await clear();
    const args = ['--silent', '--show-error', '--fail', '--write-out', ' in %{http_version}\n'];
    const url = `http://127.0.0.1:${http.port}`;
    assert.equal(
      await run('curl', ...args, '--http2', `${url}/a`, `${url}/b`),
      '1.1 http /a 0 in 2\n2 http /b 0 in 2\n',
    );
  });
});

describe('nghttp', () => {
  test('over TLS, in clear, and by upgrade', async () => {
    await using http = await clear();
    await using https = await secure();
    const plain = `http://127.0.0.1:${http.port}`;
    assert.equal(await run('nghttp', `${plain}/a`), '2 http /a 0');
    assert.equal(await run('nghttp', '--upgrade', `${plain}/a`), '1.1 http /a 0');
    assert.equal(await run('nghttp', '--data', bodyFile, `${plain}/a`), '2 http /a 300000');
    assert.equal(await run('nghttp', `https://127.0.0.1:${https.port}/a`), '2 https /a 0');
    const echoed = await run('nghttp', '--data', bodyFile, `https://127.0.0.1:${https.port}/echo`);
    assert.equal(echoed, 'b'.repeat(300_000));
  });
});

describe('h2load', () => {
  for (const [name, start] of [
    ['in clear', clear],
    ['over TLS', secure],
  ] as const) {
    test(`${name}: 2000 requests of 8 connections with 16 streams each, all answered`, async () => {
      await using http = await start();
      const url = `${http.listener.url}/a`;
      const output = await run(
        'h2load',
        '--requests=2000',
        '--clients=8',
        '--max-concurrent-streams=16',
        url,
      );
      assert.match(
        output,
        /requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout/,
      );
      assert.match(output, /status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx/);
    });
  }
});

describe('python3-h2', () => {
  const script = fileURLToPath(new URL('python-h2-client.py', import.meta.url));
  for (const [name, start, more] of [
    ['in clear', clear, []],
    ['over TLS', secure, [caFile]],
  ] as const) {
    test(`${name}: several requests, and a body larger than the windows both ways`, async () => {
      await using http = await start();
      // Debian's, for which its package is.
      const { answers, echoed } = JSON.parse(
        await run('/usr/bin/python3', script, String(http.port), ...more),
      ) as {
        answers: [string, string][];
        echoed: boolean;
      };
      const scheme = more.length > 0 ? 'https' : 'http';
      const expected = ['/one', '/two', '/two'].map((path) => ['200', `2 ${scheme} ${path} 0`]);
      assert.deepEqual(answers, expected);
      assert.equal(echoed, true);
    });
  }
});
