/** Bare publishData of livekit-client, reliable, with as many bytes as a sealed and signed edit has. */
import { Room } from 'livekit-client';
import { openActor, openWatcher } from '../../kit/clock.mjs';
import { sendEdits } from './work.mjs';

const EDIT_BYTES = 256;

let room = null;
let actor = null;

async function connect({ livekit }, role) {
  room = new Room();
  await room.connect(livekit.url, livekit.tokens.limit[role]);
}

export const other = {
  prepare: async (input) => {
    const watcher = openWatcher('live');
    await connect(input, 'other');
    room.on('dataReceived', (bytes) => watcher.seen({ id: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) }));
    return {};
  },
};

export const main = {
  prepare: async (input) => {
    await connect(input, 'main');
    actor = await openActor('live');
    return {};
  },
  sample: (input) =>
    sendEdits(input, actor, (value) => {
      const bytes = new Uint8Array(EDIT_BYTES);
      new DataView(bytes.buffer).setUint32(0, value);
      void room.localParticipant.publishData(bytes, { reliable: true });
    }),
};
