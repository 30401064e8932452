// The part of PGlite's WebAssembly module that the engine drives itself, as a type, and the loop that feeds it. Knows no
// rings and no units.
//
// PGlite's own execProtocolRawSync swallows every exception that is not PostgreSQL's longjmp, and then asks the dead
// module for the rest of its input, for ever. It also parses each answer and keeps the result. This loop does neither,
// which makes a prepared lookup cost 16 µs in place of 42.

interface ExitStatus {
  readonly status: number;
}

/** Functions and memory of the module. Checked when the engine starts, because no documentation promises them. */
export interface PostgresModule {
  readonly HEAPU8: Uint8Array;
  addFunction(callback: (pointer: number, length: number) => number, signature: 'ipi'): number;
  stackSave(): number;
  stackRestore(pointer: number): void;
  _pgl_set_rw_cbs(read: number, write: number): void;
  /** Takes one message and acts on it. */
  _PostgresMainLoopOnce(): void;
  /** What PostgreSQL does with an error that reached its main loop. */
  _PostgresMainLongJmp(): void;
  _PostgresSendReadyForQueryIfNecessary(): void;
  _pgl_pq_flush(): void;
  /** Bytes that PostgreSQL has fetched and not acted upon. */
  _pq_buffer_remaining_data(): number;
  /** OIDs of the current and the session user. */
  _GetUserId(): number;
  _GetSessionUserId(): number;
}

const REQUIRED: readonly (keyof PostgresModule)[] = [
  'addFunction',
  'stackSave',
  'stackRestore',
  '_pgl_set_rw_cbs',
  '_PostgresMainLoopOnce',
  '_PostgresMainLongJmp',
  '_PostgresSendReadyForQueryIfNecessary',
  '_pgl_pq_flush',
  '_pq_buffer_remaining_data',
  '_GetUserId',
  '_GetSessionUserId',
];

/** The exit status by which PGlite tells a longjmp to the main loop from an end of the program. */
const MAIN_LONGJMP = 100;

export function assertPostgresModule(module: object): asserts module is PostgresModule {
  for (const name of REQUIRED) {
    if (typeof Reflect.get(module, name) !== 'function') {
      throw new Error(`this build of PGlite has no ${name}`);
    }
  }
}

/** Where the engine's bytes come from and go to. */
export interface PostgresWire {
  /** Bytes that are left in the unit that is fed. */
  readonly remaining: number;
  /** Copies up to `length` bytes of input into `memory` at `pointer`; must give at least one. */
  read(memory: Uint8Array, pointer: number, length: number): number;
  write(memory: Uint8Array, pointer: number, length: number): void;
}

export class PostgresLoop {
  readonly #module: PostgresModule;
  readonly #wire: PostgresWire;

  constructor(module: PostgresModule, wire: PostgresWire) {
    this.#module = module;
    this.#wire = wire;
    const read = module.addFunction((pointer, length) => wire.read(module.HEAPU8, pointer, length), 'ipi');
    const write = module.addFunction((pointer, length) => {
      wire.write(module.HEAPU8, pointer, length);
      return length;
    }, 'ipi');
    module._pgl_set_rw_cbs(read, write);
  }

  /** Acts on all of the unit's messages and writes out what they gave. Throws when the engine is dead. */
  run(): void {
    const module = this.#module;
    while (this.#wire.remaining > 0 || module._pq_buffer_remaining_data() > 0) {
      const stack = module.stackSave();
      try {
        module._PostgresMainLoopOnce();
      } catch (error) {
        module.stackRestore(stack);
        if (!isExitStatus(error) || error.status !== MAIN_LONGJMP) throw error;
        module._PostgresMainLongJmp();
      }
    }
    module._PostgresSendReadyForQueryIfNecessary();
    module._pgl_pq_flush();
  }

  /** Whether the session acts as somebody else than it was opened as. */
  userChanged(sessionUser: number): boolean {
    return this.#module._GetUserId() !== sessionUser || this.#module._GetSessionUserId() !== sessionUser;
  }

  get sessionUser(): number {
    return this.#module._GetSessionUserId();
  }
}

function isExitStatus(error: unknown): error is ExitStatus {
  return typeof error === 'object' && error !== null && 'status' in error && typeof error.status === 'number';
}
