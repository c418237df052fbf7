import type { Bytes } from '../../../../src/core/base/index.js';
import type { Unit } from '../../replica/index.js';
import type { RoomCore } from '../core.js';
import { mendEpochs, mintDelay } from '../epochs.js';
import type { Step } from '../step.js';

/** What making an epoch needs of the network side. */
export interface MintingHost {
  readonly isCleared: () => boolean;
  readonly devicesHere: () => readonly Bytes[];
  readonly after: (ms: number, run: () => void) => void;
  readonly sendAfter: (step: Step, units: readonly Unit[]) => void;
  readonly controlChanged: (step: Step) => void;
}

/** Looks whether an epoch is due: nobody may write under one that somebody without effect can read (send rule, F5). */
export function createMinting(core: RoomCore, host: MintingHost): () => void {
  let isDue = false;
  return () => {
    const wait = host.isCleared() ? mintDelay(core, host.devicesHere()) : null;
    if (wait === null || isDue) return;
    isDue = true;
    host.after(wait, () => {
      core.loop.enqueue(async (step) => {
        isDue = false;
        if (mintDelay(core, host.devicesHere()) === null) return;
        const units = await mendEpochs(core, step);
        if (units.length === 0) return; // what is against it has to change first
        host.sendAfter(step, units);
        host.controlChanged(step);
      });
    });
  };
}
