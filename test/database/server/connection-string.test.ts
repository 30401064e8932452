// Connection strings as libpq reads them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { describeHost, parseConnectionString } from '../../../src/database/server/connection-string.ts';
import { HowdahError } from '../../../src/errors.ts';

const hosts = (text: string, env = {}): string[] =>
  parseConnectionString(text, env).hosts.map((host) => describeHost(host, ''));

function refused(text: string, reason: RegExp, env = {}): void {
  assert.throws(
    () => parseConnectionString(text, env),
    (error) =>
      error instanceof HowdahError && error.code === 'HOWDAH_DATABASE_URL' && reason.test(error.detail),
  );
}

describe('a connection string', () => {
  it('is a URL, percent-encoded', () => {
    const settings = parseConnectionString(
      'postgresql://us%40er:p%3Ass@db.example:6543/my%20db?sslmode=verify-full&options=-c%20a%3Db&connect_timeout=3',
      {},
    );
    assert.deepEqual(settings, {
      hosts: [{ host: 'db.example', port: 6543 }],
      user: 'us@er',
      password: 'p:ss',
      passwordFile: null,
      database: 'my db',
      sslMode: 'verify-full',
      sslRootCertificate: null,
      sslCertificate: null,
      sslKey: null,
      channelBinding: 'prefer',
      connectTimeoutMs: 3000,
      options: '-c a=b',
      targetSessionAttributes: 'any',
    });
  });

  it('may leave every part of a URL open', () => {
    const settings = parseConnectionString('postgres://', {
      PGHOST: 'h',
      PGPORT: '7',
      PGUSER: 'u',
      PGPASSWORD: 's',
    });
    assert.deepEqual(settings.hosts, [{ host: 'h', port: 7 }]);
    assert.deepEqual([settings.user, settings.database, settings.password], ['u', 'u', 's']);
    assert.equal(settings.sslMode, 'prefer');
    assert.equal(parseConnectionString('', { PGHOST: 'h' }).user, userInfo().username);
  });

  it('is a list of names and values, which may be quoted', () => {
    const settings = parseConnectionString(
      `host=localhost port = 1 dbname='it''s' user='a\\'b c' password=x\\ y`.replace("''", "\\'"),
      {},
    );
    assert.deepEqual(
      [settings.hosts[0], settings.database, settings.user, settings.password],
      [{ host: 'localhost', port: 1 }, "it's", "a'b c", 'x y'],
    );
  });

  it('names several hosts, in order, with a port each or one for all', () => {
    assert.deepEqual(hosts('postgres://a:1,b,[::1]:3/d'), ['a:1/', 'b:5432/', '[::1]:3/']);
    assert.deepEqual(hosts('host=a,b port=9'), ['a:9/', 'b:9/']);
    assert.deepEqual(hosts('host=a,b port=9,10'), ['a:9/', 'b:10/']);
    refused('host=a,b port=1,2,3', /3 ports for 2 hosts/);
  });

  it('names the directory of a UNIX socket', () => {
    assert.deepEqual(hosts('postgres:///d?host=/run/pg'), ['/run/pg:5432/']);
    assert.deepEqual(hosts('postgres://%2Frun%2Fpg/d'), ['/run/pg:5432/']);
  });

  it('goes before the environment; `env` is DATABASE_URL, or the PG* variables alone', () => {
    const env = {
      PGHOST: 'other',
      PGDATABASE: 'other',
      PGSSLMODE: 'disable',
      DATABASE_URL: 'postgres://u@h/d',
    };
    const settings = parseConnectionString('env', env);
    assert.deepEqual([settings.hosts[0]?.host, settings.database, settings.sslMode], ['h', 'd', 'disable']);
    assert.equal(parseConnectionString('env', { PGHOST: 'other' }).hosts[0]?.host, 'other');
  });

  it('takes what it leaves open from a service, before the environment', () => {
    const directory = mkdtempSync(join(tmpdir(), 'howdah-service-'));
    const own = join(directory, 'own.conf');
    writeFileSync(
      own,
      '# mine\n[other]\nhost=x\n\n[app]\nhost = h1\ndbname=of the service\n[later]\nuser=y\n',
    );
    writeFileSync(join(directory, 'pg_service.conf'), '[machine]\nhost=h2\n[broken]\nhost\n[odd]\npool=3\n');
    const env = {
      PGSERVICEFILE: own,
      PGSYSCONFDIR: directory,
      PGDATABASE: 'of the environment',
      PGUSER: 'me',
    };
    const where = (text: string, more = {}): string => {
      const {
        hosts: [first],
        database,
        user,
      } = parseConnectionString(text, { ...env, ...more });
      return `${first?.host} ${database} ${user}`;
    };
    try {
      assert.equal(where('service=app'), 'h1 of the service me');
      assert.equal(where('postgres:///mine?service=app'), 'h1 mine me');
      assert.equal(where('env', { PGSERVICE: 'app' }), 'h1 of the service me');
      assert.equal(where('service=machine'), 'h2 of the environment me');
      for (const [service, reason] of [
        ['none', /there is no service none: it is not in .*own\.conf; it is not in .*pg_service\.conf/],
        ['broken', /a line that is no name=value/],
        ['odd', /pool is not known/],
      ] as const)
        refused(`service=${service}`, reason, env);
      refused('service=app', /there is no service app: ENOENT/, {
        PGSERVICEFILE: join(directory, 'missing'),
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is refused where it cannot be read, and is not repeated', () => {
    for (const [text, reason] of [
      ['mysql://user:secret@host/db', /neither a URL/],
      ['postgres://user:se%ZZcret@host/db', /percent-encoding/],
      ['postgres://user:secret@host:99999/db', /99999 is no port/],
      ['host=a nonsense secret', /neither a URL/],
      ['host=a sslmode=sometimes', /sslmode is sometimes/],
      ['host=a channel_binding=please', /channel_binding is please/],
      ['host=a target_session_attrs=best', /target_session_attrs is best/],
      ['host=a connect_timeout=soon', /connect_timeout/],
      ['postgres://host/db?pool=3', /pool is not known/],
    ] as const) {
      refused(text, reason);
      assert.throws(
        () => parseConnectionString(text, {}),
        (error) => error instanceof Error && !error.message.includes('secret'),
      );
    }
  });
});
