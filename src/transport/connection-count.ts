// How many connections a listener serves: counted, waited for, and told of when they become many.

export interface AlarmOptions {
  /** Connections at which it is told of. */
  readonly connections: number;
  /** How long it is not told of again, also where the number falls and rises meanwhile. Default 5000: Ranch's. */
  readonly cooldownMs?: number;
}

const DEFAULT_COOLDOWN_MS = 5000;

export class ConnectionCount {
  readonly #alarm: (connections: number, alarm: AlarmOptions) => void;
  #alarms: readonly AlarmOptions[] = [];
  /** When each alarm may be given again, ms since the epoch. */
  #quietUntilMs: number[] = [];
  #count = 0;
  readonly #waiting = new Set<() => void>();

  /** `alarm` is called when a connection reaches the number of one of the alarms. */
  constructor(alarm: (connections: number, alarm: AlarmOptions) => void) {
    this.#alarm = alarm;
  }

  get value(): number {
    return this.#count;
  }

  useAlarms(alarms: readonly AlarmOptions[]): void {
    this.#alarms = alarms;
    this.#quietUntilMs = alarms.map(() => 0);
  }

  add(): void {
    this.#count += 1;
    for (const [i, alarm] of this.#alarms.entries())
      if (this.#count >= alarm.connections) this.#ring(i, alarm);
    this.#wake();
  }

  remove(): void {
    this.#count -= 1;
    this.#wake();
  }

  /** Resolves as soon as `reached` says so of the number. */
  until(reached: (connections: number) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!reached(this.#count)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #ring(index: number, alarm: AlarmOptions): void {
    const nowMs = Date.now();
    if (nowMs < (this.#quietUntilMs[index] ?? 0)) return;
    this.#quietUntilMs[index] = nowMs + (alarm.cooldownMs ?? DEFAULT_COOLDOWN_MS);
    this.#alarm(this.#count, alarm);
  }

  #wake(): void {
    if (this.#waiting.size > 0) for (const look of this.#waiting) look();
  }
}
