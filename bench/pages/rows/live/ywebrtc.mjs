/** y-webrtc: page to page with no server between, by a data channel; the password hides only the signalling. */
import * as bc from 'lib0/broadcastchannel';
import { WebrtcProvider } from 'y-webrtc';
import { openActor, openWatcher } from '../../kit/clock.mjs';
import { Y } from '../../kit/yjs.mjs';
import { sendEdits } from './work.mjs';

let doc = null;
let actor = null;

/** Connected to the other page by WebRTC alone: it would take a BroadcastChannel where there is one. */
async function connect({ signalingUrl }) {
  // Who may use a microphone shows its addresses to its peers; otherwise they are hidden behind names nobody resolves here.
  await navigator.mediaDevices?.getUserMedia({ audio: true }).catch(() => undefined);
  doc = new Y.Doc();
  const provider = new WebrtcProvider('live', doc, {
    signaling: [signalingUrl],
    password: 'a password of the bench',
    filterBcConns: false,
    peerOpts: { config: { iceServers: [] } },
  });
  await provider.key;
  await new Promise((resolve) => setTimeout(resolve));
  const { room } = provider;
  bc.unsubscribe(room.name, room._bcSubscriber);
  room.bcconnected = false;
  return () =>
    new Promise((resolve) => {
      const look = () => {
        const conns = [...room.webrtcConns.values()];
        if (conns.some(({ connected }) => connected)) resolve();
        else setTimeout(look, 50);
      };
      look();
    });
}

export const other = {
  prepare: async (input) => {
    const watcher = openWatcher('live');
    await connect(input);
    doc.getMap('cells').observe(({ target }) => watcher.seen({ id: target.get('live') }));
    return {};
  },
};

export const main = {
  prepare: async (input) => {
    const connected = await connect(input);
    await connected();
    actor = await openActor('live');
    return {};
  },
  sample: (input) => sendEdits(input, actor, (value) => doc.getMap('cells').set('live', value)),
};
