import type { PageInfo, PublishedSchema } from '../bridge/index.js';
import type { Declaration } from '../core/schema/index.js';
import { own } from '../core/schema/index.js';
import { mayWrite } from './access.js';
import { KeeproomError } from './error.js';
import { expect, expectFunction } from './expect.js';
import { misfitOf } from './fit.js';
import type { Change, Replica, Stage, StagedOp } from './replica.js';
import { awaitStage, createChange, stages } from './replica.js';
import type { Scope } from './signal.js';
import type { Abort, Write } from './types.js';
import { wait } from './wait.js';

/** Makes transactions out of writes, and refuses at once what every peer would refuse. */
export interface Writer {
  /** One op: part of the transaction under way, or one of its own. `model`: what it is checked against; null in `meta`. */
  readonly write: (model: Declaration | null, op: Omit<StagedOp, 'atMs'>) => Write;
  readonly transact: <R>(run: () => R) => Write<R>;
}

/** What a writer stands on. */
export interface WriterParts {
  readonly replica: Replica;
  /** Sends the change and gives it its number. */
  readonly submit: (change: Change) => void;
  readonly scope: Scope;
}

/** A transaction under way, with the published schemas that all of its ops fit. */
interface Transaction {
  readonly change: Change;
  schemas: readonly PublishedSchema[];
}

/** The writer of one handle of a room. */
export function createWriter({ replica, submit, scope }: WriterParts): Writer {
  let current: Transaction | null = null;

  const writeOf = <R>(change: Change, result: R): Write<R> => {
    const until = (stage: Stage, o: Abort = {}): Promise<void> =>
      wait({ signal: o.signal, scope }, (settle) => awaitStage(change, stage, settle));
    return { result, saved: (o) => until(stages.saved, o), delivered: (o) => until(stages.delivered, o) };
  };

  const transact = <R>(run: () => R): Write<R> => {
    expectFunction('transact', run);
    openInfo(replica, scope);
    // Part of the one under way: all or nothing belongs to the outermost.
    if (current !== null) return writeOf(current.change, run());
    const transaction: Transaction = { change: createChange(), schemas: [] };
    const { change } = transaction;
    return replica.scheduler.batch(() => {
      current = transaction;
      try {
        const result = run();
        expect(!isThenable(result), 'transact', 'a synchronous function', result);
        // The oldest that fits: whoever is behind is most likely to know it, and need not hold the entry.
        change.schema = transaction.schemas[0]?.prefix ?? null;
        if (change.ops.length > 0) submit(change);
        replica.reach(change, change.ops.length > 0 ? stages.sent : stages.delivered);
        return writeOf(change, result);
      } catch (error) {
        replica.undo(change);
        throw error;
      } finally {
        current = null;
      }
    });
  };

  const stage = (transaction: Transaction, model: Declaration | null, staged: Omit<StagedOp, 'atMs'>): void => {
    const { op, collection } = staged;
    const { domain } = collection;
    const info = openInfo(replica, scope);
    const { change } = transaction;
    const isFirst = change.ops.length === 0;
    const place = `${op.collection}.${op.kind}`;
    const misfit = model && misfitOf(collection, domain, op);
    if (misfit !== null) throw new KeeproomError('record/invalid', `${place}: ${misfit}`);
    if (!isFirst && change.domain !== domain) {
      const both = `"${change.domain}", and "${op.collection}" lies in "${domain}"`;
      throw new KeeproomError('transact/crosses-domains', `this transaction writes to domain ${both}`);
    }
    if (!mayWrite(info, { name: op.collection, collection, id: op.kind === 'insert' ? null : op.id })) {
      throw new KeeproomError('access/forbidden', `${place}: this member may not`);
    }
    if (model !== null) {
      const { schemas } = isFirst ? info : transaction;
      transaction.schemas = schemas.filter(
        (schema) => misfitOf(own(schema.declaration.collections, op.collection), domain, op) === null,
      );
    }
    if ((model !== null && transaction.schemas.length === 0) || own(info.domains, domain) === undefined) {
      throw new KeeproomError('schema/not-published', `${place}: the room does not know this yet`);
    }
    change.domain = domain;
    replica.stage(change, { ...staged, atMs: Date.now() });
  };

  return {
    write: (model, staged) =>
      transact(() => {
        // transact() has just seen to that.
        stage(current!, model, staged);
      }),
    transact,
  };
}

/** What is known of the room; `room/closed` when the handle is. */
export function openInfo(replica: Replica, scope: Scope): PageInfo {
  const info = replica.info();
  if (info === null || scope.isClosed()) throw new KeeproomError('room/closed', 'this handle of the room was closed');
  return info;
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
