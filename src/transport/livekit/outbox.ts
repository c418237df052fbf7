import type { Bytes } from '../../core/base/index.js';
import { TransportError } from '../index.js';
import { after } from './guard.js';

/** Most that waits to be handed to the SDK: it takes 1 MiB itself before it makes us wait at all. */
const maxWaitingBytes = 512 * 1024;

/** What a frame counts for beside its bytes, so that empty ones are bounded too. */
const frameCostBytes = 64;

/** A publish that takes longer than this while connected will not come back: the SDK itself gives up at 15 s. */
const publishPatienceMs = 20_000;

/** Frames on their way to the SDK, one at a time and in order. Keeps nothing over an interruption. */
export interface Outbox {
  /** Takes over the frame. Rejects with `transport/full` at once, or with what `drop` says. */
  readonly send: (frame: Bytes, to: readonly string[] | 'all') => Promise<void>;
  /** Rejects all that waits, the one being published included; whatever comes of that one is ignored. */
  readonly drop: (error: TransportError) => void;
}

/** What becomes of publishes, for whoever watches the health of the call. */
export interface OutboxEvents {
  readonly sent: () => void;
  readonly failed: () => void;
  /** The current publish neither succeeds nor fails. */
  readonly hung: () => void;
}

interface Job {
  readonly frame: Bytes;
  readonly to: readonly string[] | 'all';
  readonly resolve: () => void;
  readonly reject: (error: TransportError) => void;
}

type Publish = (frame: Bytes, to: readonly string[] | 'all') => Promise<void>;

export function createOutbox(publish: Publish, on: OutboxEvents): Outbox {
  let jobs: Job[] = [];
  let waitingBytes = 0;
  let isPumping = false;
  let run = 0;

  const pump = async (): Promise<void> => {
    const mine = run;
    isPumping = true;
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      const done = after(publishPatienceMs, on.hung);
      const isTaken = await publish(job.frame, job.to).then(
        () => true,
        () => false,
      );
      done();
      if (mine !== run) return;
      jobs.shift();
      waitingBytes -= job.frame.length + frameCostBytes;
      // The SDK's words stay out: some of its messages hold the whole token (livekit.md V8).
      if (isTaken) job.resolve();
      else job.reject(new TransportError('transport/down', 'send: the call did not take the frame'));
      if (isTaken) on.sent();
      else on.failed();
    }
    isPumping = false;
  };

  return {
    send: (frame, to) =>
      new Promise((resolve, reject) => {
        const cost = frame.length + frameCostBytes;
        if (waitingBytes + cost > maxWaitingBytes) {
          reject(new TransportError('transport/full', `send: ${waitingBytes} bytes are waiting already`));
          return;
        }
        jobs.push({ frame, to, resolve, reject });
        waitingBytes += cost;
        if (!isPumping) void pump();
      }),
    drop: (error) => {
      const dropped = jobs;
      run++;
      jobs = [];
      waitingBytes = 0;
      isPumping = false;
      for (const job of dropped) job.reject(error);
    },
  };
}
