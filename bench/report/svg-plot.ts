// Results as bars in an SVG: a panel for each scenario, two panels beside one another. Text and lines follow the reader's
// light or dark colours.
import type { ContestantSummary } from '../harness/summary.ts';
import type { ScenarioResult } from './result-file.ts';

const PANEL_WIDTH = 470;
const GAP = 24;
const NAME_WIDTH = 165;
const BAR_WIDTH = 205;
const VALUE_GAP = 6;
const ROW_HEIGHT = 19;
const BAR_HEIGHT = 12;
const TITLE_HEIGHT = 30;
const PANEL_GAP = 22;
const COLUMNS = 2;
/** Characters that fit into their columns at the size of the font. */
const TITLE_CHARACTERS = 66;
const NAME_CHARACTERS = 27;

const STYLE = `
    text { font: 12px system-ui, sans-serif; fill: #24292f; }
    .title { font-weight: 600; }
    .name { text-anchor: end; }
    .bar { fill: #8c959f; }
    .subject { fill: #cf5b1f; }
    .spread { stroke: #24292f; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .bar { fill: #6e7681; }
      .spread { stroke: #e6edf3; }
    }
  `;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function shortened(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}

/** Three digits that say something, with thousands as k and millions as M. */
export function shortNumber(value: number): string {
  if (value >= 999_500) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  if (value >= 9995) return `${Number((value / 1000).toPrecision(3))}k`;
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

function row(each: ContestantSummary, subject: string, scale: number, top: number): string[] {
  const middle = top + ROW_HEIGHT / 2;
  const baseline = middle + 4;
  const label = `<text class="name" x="${NAME_WIDTH - VALUE_GAP}" y="${baseline}">${escape(shortened(each.name, NAME_CHARACTERS))}</text>`;
  if (each.value === null) {
    return [label, `<text x="${NAME_WIDTH}" y="${baseline}">no run counts</text>`];
  }
  const { median, min, max } = each.value;
  const at = (value: number): string => (NAME_WIDTH + value * scale).toFixed(1);
  const kind = each.name === subject ? 'bar subject' : 'bar';
  return [
    label,
    `<rect class="${kind}" x="${NAME_WIDTH}" y="${middle - BAR_HEIGHT / 2}" width="${(median * scale).toFixed(1)}" height="${BAR_HEIGHT}"/>`,
    `<line class="spread" x1="${at(min)}" x2="${at(max)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${NAME_WIDTH + BAR_WIDTH + VALUE_GAP}" y="${baseline}">${shortNumber(median)}</text>`,
  ];
}

function panel(result: ScenarioResult): string[] {
  const most = Math.max(...result.summary.map(({ value }) => value?.max ?? 0));
  const scale = most > 0 ? BAR_WIDTH / most : 0;
  const less = result.faster === 'lower' ? ', less is better' : '';
  const title = shortened(result.title, TITLE_CHARACTERS);
  return [
    `<text class="title" x="0" y="12">${escape(title)}</text>`,
    `<text x="0" y="26">${escape(`${result.name}: ${result.unit}${less}`)}</text>`,
    ...result.summary.flatMap((each, index) =>
      row(each, result.subject, scale, TITLE_HEIGHT + index * ROW_HEIGHT),
    ),
  ];
}

/** One picture of all the scenarios. */
export function renderPlot(results: readonly ScenarioResult[]): string {
  const lines: string[] = [];
  let top = GAP / 2;
  for (let first = 0; first < results.length; first += COLUMNS) {
    const beside = results.slice(first, first + COLUMNS);
    for (const [column, result] of beside.entries()) {
      const left = GAP / 2 + column * (PANEL_WIDTH + GAP);
      lines.push(`<g transform="translate(${left} ${top})">`, ...panel(result), '</g>');
    }
    const rows = Math.max(...beside.map(({ summary }) => summary.length));
    top += TITLE_HEIGHT + rows * ROW_HEIGHT + PANEL_GAP;
  }
  const width = COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP + GAP;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${top}" viewBox="0 0 ${width} ${top}" role="img" aria-label="Benchmarks of howdah and its peers">
  <style>${STYLE}</style>
  ${lines.join('\n  ')}
</svg>
`;
}
