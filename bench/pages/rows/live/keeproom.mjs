/** An edit on page A until the subscriber of page B is called; both are in one room over the livekit-server. */
import { livekitData } from 'keeproom/livekit';
import { openActor, openWatcher } from '../../kit/clock.mjs';
import { freshName } from '../../kit/idb.mjs';
import { isSettled, schema, startClient, until } from '../../kit/keeproom.mjs';
import { sendEdits } from './work.mjs';

let room = null;
let actor = null;
let cell = null;

function network({ livekit }, role) {
  return livekitData({ url: livekit.url, token: async () => livekit.tokens.keeproom[role] });
}

export const other = {
  prepare: async (input) => {
    const watcher = openWatcher('live');
    const client = await startClient(freshName('live'), 'watcher');
    room = await client.createRoom({ schema, transports: [network(input, 'other')] });
    cell = room.data.cells.insert({ key: 'live', value: 0 });
    await cell.saved();
    room.data.cells.watch(cell.id).subscribe((row) => watcher.seen({ id: row.value }));
    return { code: (await room.invites.create({ role: 'editor' })).code };
  },
};

export const main = {
  prepare: async (input) => {
    const client = await startClient(freshName('live'), 'actor');
    room = await client.joinRoom(input.code, { schema, transports: [network(input, 'main')] }).room;
    await until(room.status, isSettled);
    [cell] = await until(room.data.cells, (rows) => rows.length === 1);
    actor = await openActor('live');
    return {};
  },
  sample: (input) => sendEdits(input, actor, (value) => room.data.cells.update(cell.id, { value })),
};
