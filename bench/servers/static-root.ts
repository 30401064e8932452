// The files that the servers of static files serve, the same for howdah and its peers: in a directory of each server's own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Targets, and what is answered. */
export const SMALL_TARGET = '/files/small.txt';
export const LARGE_TARGET = '/files/large.txt';
export const CACHE_CONTROL = 'public, max-age=0';

/** Lines that differ, so that a piece in the wrong place is seen. */
function numbered(bytes: number): string {
  let text = '';
  for (let line = 0; text.length < bytes; line++)
    text += `${line}: the quick brown fox jumps over the lazy dog\n`;
  return text.slice(0, bytes);
}

export const smallText = (): string => numbered(1024);
export const largeText = (): string => numbered(1024 * 1024);

export interface StaticRoot {
  readonly root: string;
  remove(): void;
}

export function writeStaticFiles(root: string): void {
  writeFileSync(join(root, 'small.txt'), smallText());
  writeFileSync(join(root, 'large.txt'), largeText());
}

export function makeStaticRoot(): StaticRoot {
  const root = mkdtempSync(join(tmpdir(), 'howdah-bench-static-'));
  writeStaticFiles(root);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}
