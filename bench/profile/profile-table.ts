// The sum of profiles as a Markdown table: microseconds per request and shares.
import type { ProfileLine, ProfileSum } from './cpu-profile.ts';

export interface ProfileFigures {
  /** How many requests were answered in the time that was summed. */
  readonly requests: number;
  /** CPU time of the process per request as the system counts it, or null. */
  readonly cpuUs: number | null;
  /** How many single functions to list. */
  readonly functions: number;
}

/** Rooms with less than this share are put together. */
const LEAST_SHARE = 0.005;

function rows(lines: readonly ProfileLine[], requests: number, busyUs: number): string[] {
  return lines.map(
    ({ name, us }) =>
      `| ${name.replaceAll('|', '\\|')} | ${(us / requests).toFixed(2)} | ${((us / busyUs) * 100).toFixed(1)} % |`,
  );
}

export function renderProfile(title: string, sum: ProfileSum, figures: ProfileFigures): string {
  const { requests, cpuUs } = figures;
  const large = sum.rooms.filter(({ us }) => us >= sum.busyUs * LEAST_SHARE);
  const smallUs = sum.busyUs - large.reduce((total, { us }) => total + us, 0);
  const rooms = smallUs > 0 ? [...large, { name: 'all others', us: smallUs }] : large;
  const lines = [
    `### ${title}`,
    '',
    '| where | µs per request | share |',
    '| --- | ---: | ---: |',
    ...rows(rooms, requests, sum.busyUs),
    ...rows([{ name: '**together**', us: sum.busyUs }], requests, sum.busyUs),
  ];
  if (cpuUs !== null) {
    lines.push('', `CPU time of the process as the system counts it: ${cpuUs.toFixed(1)} µs per request.`);
  }
  if (figures.functions > 0) {
    lines.push('', '| function | µs per request | share |', '| --- | ---: | ---: |');
    lines.push(...rows(sum.functions.slice(0, figures.functions), requests, sum.busyUs));
  }
  return `${lines.join('\n')}\n`;
}
