/** What must hold after everything was healed. Each breach is a failure of the seed. */
import { toBase64Url, toHex, type Bytes } from '../../src/core/base/index.js';
import type { Entry } from '../../src/core/entry/index.js';
import { referenceRecord } from '../../src/core/record/reference.kit.js';
import { auditDisk, type Audit } from './audit.kit.js';
import { hasForked, isCastOut, judgeForks } from './forks.kit.js';
import { payloadKey, type PageWrite } from './page.kit.js';
import type { Person } from './person.kit.js';
import type { Scene } from './scene.kit.js';
import { canary, evil } from './workload.kit.js';

export async function judge(scene: Scene, audits: ReadonlyMap<Person, Audit>): Promise<void> {
  const fail = (text: string): void => scene.world.fail(text);
  const people = [...audits].filter(([, audit]) => !isCastOut(audit));
  if (people.length < audits.size) scene.incidents.set('cast out by a fork', audits.size - people.length);
  const [first] = people;
  if (first === undefined) return fail('nobody has the room');
  for (const [person, audit] of people) {
    sameState(first, [person, audit], fail);
    pageShowsDisk(person, audit, fail);
    foldIsRight(person, audit, fail);
    noCorruption(person, audit, fail);
  }
  const devices = new Map(people.map(([person, audit]) => [audit.core.device, person]));
  noHonestVoid(first[1], devices, fail);
  judgeForks(scene, audits, fail);
  for (const [person, audit] of people) noForbiddenEffect(scene, person, audit, fail);
  nothingInTheClear(scene, audits, fail);
  for (const [person, audit] of people) {
    const heldByOthers = await heldWhenRestored(scene, person, audit.core);
    writesArePresent({ person, device: audit.core.device, audit: first[1], own: audit, heldByOthers }, fail);
  }
}

type Fail = (text: string) => void;
type Pair = readonly [Person, Audit];

function sameState([a, x]: Pair, [b, y]: Pair, fail: Fail): void {
  const [mine, theirs] = [stateText(x), stateText(y)];
  if (mine !== theirs && x.drafts.length === 0 && y.drafts.length === 0)
    fail(`${a.name} and ${b.name} hold the same entries and other records:\n${difference(mine, theirs)}`);
}

function stateText({ core }: Audit): string {
  const lines: string[] = [];
  for (const collection of core.state.records.collections())
    for (const [id, record] of core.state.records.entries(collection))
      lines.push(`${collection}/${id} ${JSON.stringify(sorted(record.fields))} ${String(record.createdAtMs)}`);
  return lines.sort().join('\n');
}

function difference(a: string, b: string): string {
  const [x, y] = [new Set(a.split('\n')), new Set(b.split('\n'))];
  const only = [
    ...[...x].filter((line) => !y.has(line)).map((l) => `- ${l}`),
    ...[...y].filter((line) => !x.has(line)).map((l) => `+ ${l}`),
  ];
  return only
    .slice(0, 4)
    .map((line) => line.slice(0, 160))
    .join('\n');
}

function sorted(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What no page is shown. */
const engineOnly = ['$schema/', '$invites/'];

/** What the page was told bit by bit is what lies on the disk, read at once. */
function pageShowsDisk(person: Person, audit: Audit, fail: Fail): void {
  const differing = pageDifference(person, audit);
  if (differing !== null) fail(`${person.name}'s page shows something else than its disk holds:\n${differing}`);
}

/** Where the page shows something else than the disk holds; null: nowhere. */
export function pageDifference(person: Person, audit: Audit): string | null {
  const page = person.page();
  if (page === null) return 'there is no page';
  const shown: string[] = [];
  for (const [collection, rows] of page.view.collections)
    for (const [id, row] of rows)
      shown.push(`${collection}/${id} ${JSON.stringify(sorted(row.fields ?? {}))} ${String(row.createdAtMs)}`);
  const onDisk = stateText(audit)
    .split('\n')
    .filter((line) => !engineOnly.some((name) => line.startsWith(name)))
    .join('\n');
  const onPage = shown.sort().join('\n');
  return onPage === onDisk ? null : difference(onPage, onDisk);
}

/** Every record is what a plain fold over the entries with effect gives: nothing counted twice, nothing left out. */
function foldIsRight(person: Person, audit: Audit, fail: Fail): void {
  if (audit.drafts.length > 0) return;
  const targets = new Map<string, { collection: string; idHex: string; id: string }>();
  for (const { ops } of audit.effective)
    for (const op of ops)
      if (op.kind !== 'opaque')
        targets.set(`${op.collection}/${toHex(op.id)}`, {
          collection: op.collection,
          idHex: toHex(op.id),
          id: toBase64Url(op.id),
        });
  for (const target of targets.values()) {
    const expected = referenceRecord(audit.effective, target);
    const found = audit.core.state.records.get(target.collection, target.id);
    const [want, got] = [expected && sorted(expected.fields), found && sorted(found.fields)];
    if (JSON.stringify(want) !== JSON.stringify(got))
      return fail(
        `${person.name}: ${target.collection}/${target.id} is ${JSON.stringify(got)}, its entries say ${JSON.stringify(want)}`,
      );
  }
}

function noCorruption(person: Person, audit: Audit, fail: Fail): void {
  const corrupt = audit.faults.get('store/corrupt') ?? 0;
  if (corrupt > 0) fail(`${person.name}'s disk has ${String(corrupt)} rows that do not fit`);
}

/** Nothing an honest device signed is without effect, but for what its own fork took. */
function noHonestVoid(audit: Audit, devices: ReadonlyMap<string, Person>, fail: Fail): void {
  for (const { author, domain, entry } of audit.entries) {
    const code = audit.core.state.voids.get(toHex(entry.id));
    const person = devices.get(author);
    if (code !== undefined && person !== undefined)
      fail(`an entry of ${person.name} in ${domain} (seq ${String(entry.seq)}) is void: ${code}`);
  }
}

/** What was forbidden has no effect anywhere, and nothing that says so shows. */
function noForbiddenEffect(scene: Scene, person: Person, audit: Audit, fail: Fail): void {
  for (const { domain, entry } of audit.entries) {
    const id = toHex(entry.id);
    if (scene.mischief.forbidden.has(id) && !audit.core.state.voids.has(id))
      fail(`${person.name} gives a forbidden entry in ${domain} an effect (seq ${String(entry.seq)})`);
  }
  if (stateText(audit).includes(evil)) fail(`${person.name} shows what nobody may write`);
}

/** No text, name or key was ever on the network. */
function nothingInTheClear(scene: Scene, audits: ReadonlyMap<Person, Audit>, fail: Fail): void {
  const heard = Buffer.from(scene.world.heard());
  const secrets = [...audits.values()].flatMap((audit) => [...audit.secrets]);
  const needles: readonly (readonly [string, Bytes | Buffer])[] = [
    ['a text', Buffer.from(canary)],
    ['a field name', Buffer.from('"votes"')],
    ['a collection', Buffer.from('$profiles')],
    ['the title', Buffer.from('Plans')],
    ...secrets.map((secret) => ['an epoch key', secret] as const),
  ];
  for (const [what, needle] of needles)
    if (heard.includes(Buffer.from(needle))) fail(`${what} was on the network in the clear`);
}

interface WriteCase {
  readonly person: Person;
  readonly device: string;
  /** What everybody has. */
  readonly audit: Audit;
  /** What the person's own disk has. */
  readonly own: Audit;
  /** Payloads of the person that lay on another honest disk when theirs was put back. */
  readonly heldByOthers: ReadonlySet<string>;
}

/** Every write that was confirmed is there, and none twice. */
function writesArePresent(c: WriteCase, fail: Fail): void {
  const counts = new Map<string, number>();
  const bump = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { author, entry } of c.audit.entries)
    if (author === c.device && hasPayload(entry)) bump(payloadKey(entry.payload));
  for (const draft of c.own.drafts) bump(payloadKey(draft));
  const made = new Map<string, PageWrite[]>();
  for (const write of c.person.writes()) {
    const key = payloadKey(write.payload);
    made.set(key, [...(made.get(key) ?? []), write]);
  }
  for (const [key, writes] of made) {
    const count = counts.get(key) ?? 0;
    const owed = writes.filter((write) => write.savedAtMs !== null && write.rejected === null && !isExcused(c, write));
    const say = `${c.person.name}'s write ${JSON.stringify(writes[0]?.ops.map((op) => op.kind))} of ${String(writes[0]?.madeAtMs)} ms`;
    // What a fork of one's own takes is gone; that nobody could have prevented the fork is judged for itself.
    if (count < owed.length && !hasForked(c.own))
      fail(`${say} is lost: confirmed ${String(owed.length)} times, there ${String(count)} times`);
    if (count > writes.length) fail(`${say} is there ${String(count)} times, made ${String(writes.length)} times`);
    const rejected = writes.find((write) => write.rejected !== null);
    if (rejected !== undefined && !hasForked(c.own)) fail(`${say} was rejected: ${String(rejected.rejected)}`);
  }
}

function hasPayload(entry: Entry): entry is Entry & { readonly payload: NonNullable<Entry['payload']> } {
  return entry.payload !== null;
}

/** Confirmed after the backup was made that was put back later, and no honest device had it: it lay on that disk alone. */
function isExcused({ person, heldByOthers }: WriteCase, write: PageWrite): boolean {
  const isKnown = write.delivered && heldByOthers.has(payloadKey(write.payload));
  return (
    !isKnown &&
    person.restored.some(({ atMs, backupMs }) => write.madeAtMs <= atMs && (write.savedAtMs ?? 0) >= backupMs)
  );
}

async function heldWhenRestored(scene: Scene, person: Person, { device, room }: Audit['core']): Promise<Set<string>> {
  const held = new Set<string>();
  for (const { others } of person.restored)
    for (const { person: other, disk } of others) {
      const audit = await auditDisk(scene.world, other.device, { room, disk });
      for (const { author, entry } of audit?.entries ?? [])
        if (author === device && hasPayload(entry)) held.add(payloadKey(entry.payload));
    }
  return held;
}
