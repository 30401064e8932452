// Static files of 1 KB and of 1 MB over HTTP/1.1: a directory behind a route, beside @fastify/static and nginx.
import { httpContestant } from '../harness/http-contestant.ts';
import type { Contestant, Scenario } from '../harness/scenario.ts';
import type { ServerCommand } from '../harness/server-process.ts';
import { LARGE_TARGET, largeText, SMALL_TARGET, smallText } from '../servers/static-root.ts';
import { howdahVersion, NODE, packageVersion, peerScript, serverScript } from './commands.ts';
import { nginx, nginxVersion } from './native-servers.ts';

const PEER = '@fastify/static';
const peerVersion = `${packageVersion('@fastify/static')}, ${packageVersion('fastify')}, ${NODE}`;

/** What both send with a file. */
const fields = {
  'content-type': /^text\/plain;\s*charset=utf-8$/i,
  'cache-control': /^public, max-age=0$/,
  etag: /"$/,
  'last-modified': /GMT$/,
  'accept-ranges': /^bytes$/,
  date: /GMT$/,
};

function contestants(target: string, body: string, connections: number): readonly Contestant[] {
  const load = { connections, target, script: 'summary.lua' };
  const expected = { status: 200, body, fields };
  const contestant = (name: string, version: string, server: ServerCommand): Contestant =>
    httpContestant({ name, version, server, load, expected });
  return [
    contestant(PEER, peerVersion, peerScript('fastify-static.mjs')),
    contestant('nginx', nginxVersion(), nginx('http/1.1')),
    contestant('howdah', howdahVersion(), serverScript('howdah-static.ts')),
  ];
}

const common = {
  unit: 'requests/s',
  faster: 'higher',
  subject: 'howdah',
  targets: [{ against: PEER, atLeast: 1 }],
} as const;

export const staticFiles: Scenario = {
  ...common,
  name: 'static-files',
  title: 'A static file of 1 KB over HTTP/1.1, 64 connections',
  contestants: contestants(SMALL_TARGET, smallText(), 64),
};

export const staticFilesLarge: Scenario = {
  ...common,
  name: 'static-files-large',
  title: 'A static file of 1 MB over HTTP/1.1, 16 connections',
  contestants: contestants(LARGE_TARGET, largeText(), 16),
};
