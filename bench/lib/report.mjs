/** From samples to tables, and from tables to a verdict. */
import { ratioOf, summarize } from './stats.mjs';

/** One entry per row, case and measure: what is printed, judged and written as JSON. */
export function judgeRow(row, results, waivers) {
  const entries = results.flatMap((result, caseIndex) =>
    (row.cases[caseIndex].measures ?? row.measures).map((measure) => judgeMeasure(row, result, measure, waivers)),
  );
  if (row.doubling !== undefined) judgeGrowth(row, entries, waivers);
  return entries;
}

/** What each doubling costs from one size to the next, when they all cost the same. */
function judgeGrowth(row, entries, waivers) {
  const { measure, atMost } = row.doubling;
  const sizes = entries.filter((entry) => entry.measure === measure);
  for (let i = 1; i < sizes.length; i++) {
    const [less, more] = [sizes[i - 1], sizes[i]];
    const doublings = Math.log2(more.work.ops / less.work.ops);
    const factor = more.contestants.keeproom?.median / less.contestants.keeproom?.median;
    const value = Number.isFinite(factor) ? factor ** (1 / doublings) : undefined;
    more.goals.push(
      verdictOf(row, { goal: { peer: 'doubling', atMost }, text: `≤ ${atMost}x per doubling`, value, waivers }),
    );
  }
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
  const goals = (measure.goals ?? []).map((goal) => judgeGoal(row, { goal, contestants, waivers, measure }));
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

function judgeGoal(row, { goal, contestants, waivers, measure }) {
  const bound = goal.atMost ?? goal.atLeast;
  const sign = goal.atMost === undefined ? '≥' : '≤';
  const text = `${sign} ${bound} ${goal.peer === null ? measure.unit : `x ${goal.peer}`}`;
  const value = goal.peer === null ? contestants.keeproom?.median : contestants[goal.peer]?.ours?.ratio;
  return verdictOf(row, { goal: { ...goal, peer: goal.peer ?? measure.unit }, text, value, waivers });
}

/** Results of earlier runs under the waivers of now. */
export function judgeAnew(entries, waivers) {
  return entries.map((entry) => {
    const goals = entry.goals.map(({ text, peer, bound, value }) => {
      const goal = { peer, ...(text.startsWith('≤') ? { atMost: bound } : { atLeast: bound }) };
      return verdictOf({ id: entry.row }, { goal, text, value, waivers });
    });
    return { ...entry, goals };
  });
}

function verdictOf(row, { goal, text, value, waivers }) {
  const { peer, atMost, atLeast } = goal;
  const bound = atMost ?? atLeast;
  if (!Number.isFinite(value)) return { text, peer, bound, verdict: 'not measured' };
  if (isMet(goal, value)) return { text, peer, bound, value, verdict: 'met' };
  const waiver = waivers.find((one) => one.row === row.id && one.peer === peer && one.goal === bound);
  const isHeld =
    waiver !== undefined &&
    isMet(atMost === undefined ? { atLeast: waiver.ceiling } : { atMost: waiver.ceiling }, value);
  return { text, peer, bound, value, verdict: isHeld ? 'waived' : 'missed', ...(waiver && { waiver }) };
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
