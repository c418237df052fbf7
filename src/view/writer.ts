import type { PageInfo } from '../bridge/index.js';
import type { Declaration } from '../core/schema/index.js';
import { own } from '../core/schema/index.js';
import { mayWrite } from './access.js';
import { KeeproomError } from './error.js';
import { expect, expectFunction, signalOf } from './expect.js';
import { misfitOf } from './fit.js';
import type { Change, Replica, Stage, StagedOp } from './replica.js';
import { awaitStage, createChange, deliveredStage, failChange, savedStage, sentStage } from './replica.js';
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

/** The writer of one handle of a room. */
export function createWriter({ replica, submit, scope }: WriterParts): Writer {
  const writeOf = <R>(change: Change, result: R): Write<R> => {
    const until = async (stage: Stage, o?: Abort): Promise<void> =>
      wait({ signal: signalOf(o), scope }, (settle) => {
        const forget = awaitStage(change, stage, settle);
        if (stage !== deliveredStage) return forget;
        const check = (): void => {
          const code = replica.info()?.blocked;
          if (code) settle.reject(new KeeproomError(code, 'what is written here goes nowhere'));
        };
        const unwatch = replica.about.watch(check);
        check();
        return () => {
          forget();
          unwatch();
        };
      });
    return { result, saved: (o) => until(savedStage, o), delivered: (o) => until(deliveredStage, o) };
  };

  const transact = <R>(run: () => R): Write<R> => {
    expectFunction('transact', run);
    openInfo(replica, scope);
    // Part of the one under way, of whichever handle of the room: only the outermost is sent.
    const outer = replica.open;
    const change = outer ?? createChange();
    const { schemas } = change;
    const opsBefore = change.ops.length;
    return replica.scheduler.batch(() => {
      replica.open = change;
      try {
        const result = run();
        expect(!isThenable(result), 'transact', 'a synchronous function', result);
        if (outer === null) {
          if (change.ops.length > 0) submit(change);
          replica.reach(change, change.ops.length > 0 ? sentStage : deliveredStage);
        }
        return writeOf(change, result);
      } catch (error) {
        replica.undo(change, opsBefore);
        change.schemas = schemas;
        if (outer === null) failChange(change, new KeeproomError('aborted', 'the transaction was rolled back'));
        throw error;
      } finally {
        replica.open = outer;
      }
    });
  };

  const stage = (change: Change, model: Declaration | null, staged: Omit<StagedOp, 'atMs'>): void => {
    const { op, collection } = staged;
    const { domain } = collection;
    const info = openInfo(replica, scope);
    const isFirst = change.ops.length === 0;
    const place = `${op.collection}.${op.kind}`;
    const misfit = model && misfitOf(collection, domain, op);
    if (misfit !== null) throw new KeeproomError('record/invalid', `${place}: ${misfit}`);
    if (!isFirst && change.domain !== domain) {
      throw new KeeproomError('transact/crosses-domains', `${place}: "${change.domain}", then "${domain}"`);
    }
    if (!mayWrite(info, { name: op.collection, collection, id: op.kind === 'insert' ? null : op.id })) {
      throw new KeeproomError('access/forbidden', `${place}: this member may not`);
    }
    const schemas = (isFirst ? info : change).schemas.filter(
      (schema) => misfitOf(own(schema.declaration.collections, op.collection), domain, op) === null,
    );
    if ((model !== null && schemas.length === 0) || own(info.domains, domain) === undefined) {
      throw new KeeproomError('schema/not-published', `${place}: the room does not know this yet`);
    }
    change.domain = domain;
    change.schemas = schemas;
    replica.stage(change, { ...staged, atMs: Date.now() });
  };

  return {
    write: (model, staged) =>
      transact(() => {
        // transact() has just seen to that.
        stage(replica.open!, model, staged);
      }),
    transact,
  };
}

/** What is known of the room; `room/closed` when the handle is. */
export function openInfo(replica: Replica, scope: Scope): PageInfo {
  const info = replica.info();
  if (info === null || scope.isClosed()) throw new KeeproomError('room/closed', 'this handle was closed');
  return info;
}

function isThenable(value: unknown): boolean {
  return typeof (Object(value) as { readonly then?: unknown }).then === 'function';
}
