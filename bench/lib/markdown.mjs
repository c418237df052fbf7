/** The newest results as the table of README.md: one line per measure. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { numberOf } from './report.mjs';

/** @param {string} folder with the JSON of earlier runs @param {string} browser */
export function storedEntries(folder, browser) {
  return readdirSync(folder)
    .filter((name) => name.endsWith(`-${browser}.json`))
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).entries)
    .sort((a, b) => Number(a.row.slice(1)) - Number(b.row.slice(1)));
}

/** The table, and why goals are waived. */
export function readmeTable(entries) {
  const lines = entries.map((entry) => {
    const { keeproom, ...others } = entry.contestants;
    const theirs = Object.entries(others).map(
      ([name, one]) =>
        `${name} ${numberOf(one.median)} (${one.ours === undefined ? '–' : `${numberOf(one.ours.ratio)}x`})`,
    );
    const goals = entry.goals.map(({ text, verdict }) => `${text}: ${verdict}`);
    const what = `${entry.case.replaceAll('|', '/')}, ${sizeOf(entry.work)}`;
    const mine = keeproom === undefined ? 'not measured' : rangeOf(keeproom);
    return [entry.row, what, `${entry.measure}, ${entry.unit}`, mine, theirs.join('; '), goals.join('; ')];
  });
  const head = ['row', 'work', 'measure', 'keeproom: median (p10 – p90)', 'others: median (keeproom / it)', 'goals'];
  const table = [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`);
  const waived = entries.flatMap(({ row, goals }) =>
    goals.filter(({ verdict }) => verdict === 'waived').map(({ text, waiver }) => ({ row, text, ...waiver })),
  );
  const reasons = new Set(waived.map((one) => `- ${one.row}, ${one.text}, up to ${one.ceiling}: ${one.why}.`));
  return [...table, '', 'Waived:', '', ...reasons].join('\n');
}

function rangeOf({ median, low, high }) {
  return `${numberOf(median)} (${numberOf(low)} – ${numberOf(high)})`;
}

function sizeOf({ ops, records, edits, behind }) {
  if (behind !== undefined) return `${behind} of ${ops} ops`;
  return ops === undefined ? `${records ?? edits} ${records === undefined ? 'edits' : 'records'}` : `${ops} ops`;
}
