// Values of options: addresses, sizes, times, switches.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BadValue,
  parseBytes,
  parseDurationMs,
  parseGatewayAddress,
  parseSwitch,
  parseTcpAddress,
} from '../../src/cli/option-values.ts';

const refuses = (parse: () => unknown, message: RegExp): void => {
  assert.throws(parse, (error) => error instanceof BadValue && message.test(error.message));
};

describe('an address to listen on', () => {
  const good: readonly [text: string, host: string, port: number][] = [
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['[::1]:8080', '::1', 8080],
    ['[::]:0', '::', 0],
    ['localhost:1', '127.0.0.1', 1],
    ['8080', '127.0.0.1', 8080],
    [':8080', '127.0.0.1', 8080],
    ['0', '127.0.0.1', 0],
    ['65535', '127.0.0.1', 65_535],
  ];
  for (const [text, host, port] of good) {
    test(`can be ${text}`, () => assert.deepEqual(parseTcpAddress(text), { host, port }));
  }

  const bad: readonly [text: string, message: RegExp][] = [
    ['', /HOST:PORT/],
    ['x', /HOST:PORT/],
    ['127.0.0.1', /HOST:PORT/],
    ['127.0.0.1:', /HOST:PORT/],
    ['127.0.0.1:-1', /HOST:PORT/],
    ['65536', /at most 65535/],
    ['::1:8080', /brackets/],
    ['[127.0.0.1]:80', /not an IPv6/],
    ['[::1', /HOST:PORT/],
    ['example.org:80', /IP address or localhost/],
    ['1.2.3:80', /IP address or localhost/],
  ];
  for (const [text, message] of bad) {
    test(`cannot be ${JSON.stringify(text)}`, () => refuses(() => parseTcpAddress(text), message));
  }
});

test('the address of the gateway can be a socket path or off as well', () => {
  assert.deepEqual(parseGatewayAddress('/run/howdah/.s.PGSQL.5433'), { path: '/run/howdah/.s.PGSQL.5433' });
  assert.deepEqual(parseGatewayAddress('./sock'), { path: './sock' });
  assert.deepEqual(parseGatewayAddress('[::1]:5433'), { host: '::1', port: 5433 });
  assert.equal(parseGatewayAddress('off'), 'off');
  refuses(() => parseGatewayAddress('sock'), /slash/);
});

test('a size has decimal and binary units, and a limit', () => {
  const max = 2 ** 31;
  assert.deepEqual(
    ['0', '500', '10k', '10kB', '1.5MB', '1MB', '1 MiB', '2GiB'].map((text) => parseBytes(text, max)),
    [0, 500, 10_000, 10_000, 1_500_000, 1_000_000, 1_048_576, 2 ** 31],
  );
  for (const text of ['', 'x', '-1', '1TB', 'MB', '1e3', '0x10'])
    refuses(() => parseBytes(text, max), /bytes/);
  refuses(() => parseBytes(`${max + 1}`, max), /At most/);
});

test('a time has a unit and fits into a timer', () => {
  assert.deepEqual(
    ['1ms', '500ms', '30s', '1.5s', '2m', '2min', '1h'].map((text) => parseDurationMs(text, 1)),
    [1, 500, 30_000, 1500, 120_000, 120_000, 3_600_000],
  );
  for (const text of ['', '30', 's', '-1s', '1d', '1 s s']) refuses(() => parseDurationMs(text, 1), /unit/);
  refuses(() => parseDurationMs('0ms', 1), /At least 1/);
  assert.equal(parseDurationMs('0s', 0), 0);
  refuses(() => parseDurationMs('600h', 1), /At most/);
  assert.equal(parseDurationMs('2147483647ms', 1), 2 ** 31 - 1);
  refuses(() => parseDurationMs('2147483648ms', 1), /At most/);
});

test('a switch of the environment says yes or no', () => {
  for (const text of ['1', 'true', 'YES', 'on']) assert.equal(parseSwitch(text), true);
  for (const text of ['0', 'False', 'no', 'off']) assert.equal(parseSwitch(text), false);
  refuses(() => parseSwitch('maybe'), /true or false/);
});
