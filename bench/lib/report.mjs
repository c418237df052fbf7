/** From samples to tables, and from tables to a verdict. */
import { ratioOf, summarize } from './stats.mjs';

/** One entry per row, case and measure: what is printed, judged and written as JSON. */
export function judgeRow(row, results, waivers) {
  return results.flatMap((result, caseIndex) =>
    (row.cases[caseIndex].measures ?? row.measures).map((measure) => judgeMeasure(row, result, measure, waivers)),
  );
}

function judgeMeasure(row, result, measure, waivers) {
  const contestants = {};
  for (const name of row.contestants) {
    const runs = result.samples[name] ?? [];
    const values = runs.map((run) =>
      run.map((m) => measure.of(m, result.work)).filter((value) => Number.isFinite(value)),
    );
    if (values.flat().length > 0) contestants[name] = { ...summarize(values), values };
  }
  const mine = contestants.keeproom;
  for (const [name, one] of Object.entries(contestants)) {
    if (mine !== undefined && name !== 'keeproom') one.ours = ratioOf(mine, one);
  }
  const goals = (measure.goals ?? []).map((goal) => judgeGoal(row, result, { goal, contestants, waivers, measure }));
  return {
    row: row.id,
    title: row.title,
    case: result.name,
    work: result.work,
    measure: measure.name,
    unit: measure.unit,
    contestants,
    failures: { ...row.notMeasured, ...result.failures },
    runFailures: Object.keys(result.failures),
    facts: result.facts,
    goals,
  };
}

function judgeGoal(row, result, { goal, contestants, waivers, measure }) {
  const mine = contestants.keeproom;
  const bound = goal.atMost ?? goal.atLeast;
  const sign = goal.atMost === undefined ? '≥' : '≤';
  const against = goal.peer === null ? measure.unit : `x ${goal.peer}`;
  const text = `${sign} ${bound} ${against}`;
  const value = goal.peer === null ? mine?.median : contestants[goal.peer]?.ours?.ratio;
  const verdict = value === undefined ? 'not measured' : isMet(goal, value) ? 'met' : 'missed';
  const waiver =
    verdict === 'missed'
      ? waivers.find((one) => one.row === row.id && one.peer === (goal.peer ?? measure.unit) && one.goal === bound)
      : undefined;
  const isHeld =
    waiver !== undefined &&
    isMet({ ...goal, [goal.atMost === undefined ? 'atLeast' : 'atMost']: waiver.ceiling }, value);
  return { text, peer: goal.peer, bound, value, verdict: isHeld ? 'waived' : verdict, ...(waiver && { waiver }) };
}

function isMet({ atMost, atLeast }, value) {
  return atMost === undefined ? value >= atLeast : value <= atMost;
}

/** A table for people; also fit for a README. */
export function tableOf(entries, { isJudged = true } = {}) {
  const lines = [];
  for (const entry of entries) {
    const size = Object.entries(entry.work)
      .filter(([, value]) => typeof value === 'number')
      .map(([name, value]) => `${name} ${value}`)
      .join(', ');
    lines.push(`${entry.row} ${entry.title}: ${entry.case} (${size}); ${entry.measure}, ${entry.unit}`);
    const rows = Object.entries(entry.contestants).map(([name, one]) => [
      name,
      numberOf(one.median),
      `${numberOf(one.low)} – ${numberOf(one.high)}`,
      String(one.samples),
      one.ours === undefined
        ? ''
        : `${numberOf(one.ours.ratio)} (${numberOf(one.ours.low)} – ${numberOf(one.ours.high)})`,
    ]);
    lines.push(
      ...align([['contestant', 'median', 'p10 – p90', 'n', 'keeproom / it (by run)'], ...rows]).map(
        (line) => `  ${line}`,
      ),
    );
    for (const [name, reason] of Object.entries(entry.failures)) lines.push(`  ${name}: not measured: ${reason}`);
    for (const goal of isJudged ? entry.goals : []) lines.push(`  goal ${goal.text}: ${goalText(goal)}`);
    lines.push('');
  }
  return lines.join('\n');
}

function goalText({ verdict, value, waiver }) {
  const measured = value === undefined ? '' : ` (${numberOf(value)})`;
  return `${verdict}${measured}${waiver === undefined ? '' : `; waiver up to ${waiver.ceiling}: ${waiver.why}`}`;
}

/** Three digits that count. */
export function numberOf(value) {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  '),
  );
}
