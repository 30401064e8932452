// The module of an application: found, loaded, and loaded again when its files have changed. What it exports is checked in
// web/define-application.ts.
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { HowdahError } from '../errors.ts';
import { applicationOf, type ApplicationConfig } from '../web/define-application.ts';

const own = import.meta.url.endsWith('.ts') ? '../index.ts' : '../index.js';
const INDEX = new URL(own, import.meta.url).href;
const OWN_FILES = new URL('..', import.meta.url).href;

let hooked = false;
/** Raised by each load; modules of an older one are left to the garbage collector. */
let generation = 0;
const loaded = new Set<string>();

/** The files, outside of node_modules, that the application loaded last consists of. */
export function applicationFiles(): ReadonlySet<string> {
  return loaded;
}

/**
 * Loads the module, each time anew, with everything that it imports from files outside of node_modules.
 * @throws HowdahError HOWDAH_APPLICATION_UNUSABLE
 */
export async function loadApplication(path: string): Promise<ApplicationConfig> {
  hook();
  generation += 1;
  loaded.clear();
  const file = resolve(path);
  loaded.add(file);
  if (!existsSync(file)) {
    throw new HowdahError('HOWDAH_APPLICATION_UNUSABLE', `${path}: there is no such file`);
  }
  try {
    const url = versioned(pathToFileURL(file).href);
    const module = (await import(url)) as { readonly default?: unknown };
    return applicationOf(module.default);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HowdahError('HOWDAH_APPLICATION_UNUSABLE', `${path}: ${reason}`, { cause: error });
  }
}

const versioned = (url: string): string => (generation === 1 ? url : `${url}?howdah=${generation}`);

/**
 * `howdah` is this very package, wherever the application stands and whatever is installed beside it: two copies would not know one
 * another's objects.
 */
function hook(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === 'howdah') return { url: INDEX, format: null, shortCircuit: true };
      const resolved = next(specifier, context);
      const { url } = resolved;
      if (!url.startsWith('file:') || url.includes('/node_modules/') || url.startsWith(OWN_FILES))
        return resolved;
      if (url.includes('?')) return resolved;
      loaded.add(fileURLToPath(url));
      return { ...resolved, url: versioned(url) };
    },
  });
}
