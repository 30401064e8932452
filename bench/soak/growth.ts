// Whether readings of memory over time grow: the slope of a line through them after the first part. Measures nothing.

export interface Reading {
  readonly atSeconds: number;
  readonly bytes: number;
}

export interface Growth {
  /** Of the line of least squares through the readings that are looked at. */
  readonly bytesPerMinute: number;
  /** Median of the last third less median of the third before it. */
  readonly changeBytes: number;
  readonly isGrowing: boolean;
}

/** Compiled code, caches and pools are filled in the first part. */
const SETTLING_SHARE = 1 / 3;
/** What the garbage collector leaves or takes between two readings is less than this. */
const NOISE_BYTES = 16 * 1024 * 1024;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** Null for fewer than six readings, which tell nothing. */
export function findGrowth(readings: readonly Reading[]): Growth | null {
  const settled = readings.slice(Math.floor(readings.length * SETTLING_SHARE));
  if (settled.length < 4) return null;
  const count = settled.length;
  const meanX = settled.reduce((sum, { atSeconds }) => sum + atSeconds, 0) / count;
  const meanY = settled.reduce((sum, { bytes }) => sum + bytes, 0) / count;
  let above = 0;
  let below = 0;
  for (const { atSeconds, bytes } of settled) {
    above += (atSeconds - meanX) * (bytes - meanY);
    below += (atSeconds - meanX) ** 2;
  }
  const bytesPerMinute = below === 0 ? 0 : (above / below) * 60;
  const half = count >> 1;
  const bytesOf = (part: readonly Reading[]): number[] => part.map(({ bytes }) => bytes);
  const changeBytes = median(bytesOf(settled.slice(half))) - median(bytesOf(settled.slice(0, half)));
  return { bytesPerMinute, changeBytes, isGrowing: changeBytes > NOISE_BYTES };
}
