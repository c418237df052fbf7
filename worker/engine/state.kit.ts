/** What an engine knows of a room as text: the same for the same disk, however it was read. */
import { toBase64Url, toHex } from '../../src/core/base/index.js';
import { mergeText } from '../../src/core/record/frozen.kit.js';
import { countOf, domainOf, domainsInOrder } from './replica/index.js';
import type { RoomCore } from './room/core.js';
import { roomInfo } from './room/info.js';
import { summaryOf } from './room/net/lacking.js';
import { undeliveredCount } from './room/undelivered.js';

/** Everything that may not differ between a room that was replayed and one that was opened from a snapshot. */
function stateLines(core: RoomCore): string[] {
  const { state } = core;
  const lines: string[] = [];
  for (const key of domainsInOrder(state)) {
    const domain = domainOf(state, key);
    if (domain === null) continue;
    const { entryCount, chainsByAuthor } = domain;
    lines.push(`domain ${key} ${toHex(summaryOf(domain).root)} ${String(entryCount)}`);
    for (const [author, chain] of chainsByAuthor) {
      const { signed, loaded, packs } = chain;
      if (countOf(chain) === 0) continue;
      const end = packs.map(({ fromSeq, count }) => fromSeq + count).reduce((a, b) => Math.max(a, b), 0);
      const head = loaded.ids.at(-1);
      lines.push(
        `chain ${key} ${author} ${String(countOf(chain))} ${head ? toHex(head) : ''} ${String(loaded.ms.at(-1))} ${String(loaded.ctr.at(-1))}`,
        `signed ${key} ${author} ${signed ? [signed.seq, toHex(signed.id), toHex(signed.sig), toHex(signed.boot)].join() : ''}`,
        `packs ${key} ${author} ${String(end)}`,
      );
    }
  }
  const nobody = { network: 'offline', stalled: false, online: new Set<string>(), lastSyncedAtMs: null } as const;
  const info = roomInfo(core, { ...nobody, progress: 0, blocked: core.blocked, codes: new Map() });
  lines.push(
    ...mergeText(state.records).split('\n'),
    ...[...state.voids].map(([id, code]) => `void ${id} ${code}`),
    ...[...state.declarations].map(([prefix, { bytes }]) => `declaration ${prefix} ${toBase64Url(bytes)}`),
    ...[...state.domainNames].map(([domain, name]) => `name ${domain} ${name}`),
    ...[...core.undelivered].map(([record, ref]) => `undelivered ${record} ${JSON.stringify(ref)}`),
    ...[...core.delivered].map(([domain, count]) => `delivered ${domain} ${String(count)}`),
    ...[...core.marks].map(([tab, n]) => `mark ${tab} ${String(n)}`),
    ...[...core.drafts].map(([domain, { rows, count, next }]) =>
      count === 0
        ? ''
        : `drafts ${domain} ${String([rows[0]?.n, count, next])} ${rows.map(({ key }) => key.join()).join(' ')}`,
    ),
    `undelivered ${String(undeliveredCount(core))}, last ${JSON.stringify(core.lastHlc)}`,
    `info ${JSON.stringify({ ...info, declarations: info.declarations.map(toBase64Url).sort() })}`,
    `log ${state.log.map(({ id }) => id).join()}`,
    `held ${core.held.map(({ code, stored }) => code + JSON.stringify(stored)).join()}`,
  );
  return lines.sort();
}

/** What one has and the other has not, in short; null: nothing. */
export function stateDifference(a: RoomCore, b: RoomCore): string | null {
  const [x, y] = [new Set(stateLines(a)), new Set(stateLines(b))];
  const only = [
    ...[...x].filter((line) => !y.has(line)).map((line) => `- ${line}`),
    ...[...y].filter((line) => !x.has(line)).map((line) => `+ ${line}`),
  ];
  return only.length === 0
    ? null
    : only
        .map((line) => line.slice(0, 300))
        .slice(0, 8)
        .join('\n');
}
