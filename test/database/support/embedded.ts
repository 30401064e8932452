// Opens embedded databases for tests, and collects what they observe.
import { constants, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Observation } from '../../../src/observe/observation.ts';
import type { EmbeddedDatabase } from '../../../src/database/embedded/embedded-database.ts';
import { openEmbedded, type EmbeddedOptions } from '../../../src/database/embedded/open-embedded.ts';

export interface TestEmbedded {
  readonly database: EmbeddedDatabase;
  readonly observations: Observation[];
  /** Resolves with the next observation of the kind that was not waited for yet. */
  readonly observed: <K extends Observation['kind']>(kind: K) => Promise<Extract<Observation, { kind: K }>>;
}

export async function openTestEmbedded(
  options: Partial<Omit<EmbeddedOptions, 'observer'>> = {},
): Promise<TestEmbedded> {
  const observations: Observation[] = [];
  const waiting: { kind: string; resolve: (observation: Observation) => void }[] = [];
  const seen = new Map<string, number>();
  const database = await openEmbedded({
    dataDirectory: null,
    ...options,
    observer: {
      observe(observation) {
        observations.push(observation);
        const index = waiting.findIndex(({ kind }) => kind === observation.kind);
        if (index >= 0) waiting.splice(index, 1)[0]?.resolve(observation);
      },
    },
  });
  return {
    database,
    observations,
    observed<K extends Observation['kind']>(kind: K) {
      const of = observations.filter((observation) => observation.kind === kind);
      const index = seen.get(kind) ?? 0;
      seen.set(kind, index + 1);
      const found = of[index];
      const promise =
        found === undefined
          ? new Promise<Observation>((resolve) => {
              waiting.push({ kind, resolve });
            })
          : Promise.resolve(found);
      return promise as Promise<Extract<Observation, { kind: K }>>;
    },
  };
}

/** A new directory; `remove` takes it away. */
export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'howdah-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Opens a database in a new data directory with a cluster in it, which saves the seconds that initdb takes. Closes it and
 * removes the directory after the test, also where it fails.
 */
export async function openPrepared(
  context: TestContext,
  options: Partial<Omit<EmbeddedOptions, 'observer' | 'dataDirectory'>> = {},
): Promise<TestEmbedded & { directory: string }> {
  const directory = await preparedDirectory(context);
  const embedded = await openTestEmbedded({ ...options, dataDirectory: directory });
  context.after(() => embedded.database.close());
  return { ...embedded, directory };
}

/** A new data directory with an empty cluster, removed after the test. */
export async function preparedDirectory(context: TestContext): Promise<string> {
  const template = await templateDirectory();
  const directory = temporaryDirectory();
  cpSync(join(template, 'postgres'), join(directory.path, 'postgres'), {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
  });
  context.after(() => directory.remove());
  return directory.path;
}

/** Made once for all test files, by whoever comes first. */
async function templateDirectory(): Promise<string> {
  const { version } = JSON.parse(
    readFileSync(new URL('../../../node_modules/@electric-sql/pglite/package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const template = join(tmpdir(), `howdah-test-cluster-${version}-${process.getuid?.() ?? 0}`);
  if (existsSync(template)) return template;
  const making = temporaryDirectory();
  const { database } = await openTestEmbedded({ dataDirectory: making.path });
  await database.close();
  try {
    renameSync(making.path, template);
  } catch {
    making.remove(); // another test file was faster
  }
  return template;
}
