/** Servers on loopback that rows need: a livekit-server, a y-websocket server, a signalling server of y-webrtc. */
import { createServer } from 'node:http';
import { AccessToken } from 'livekit-server-sdk';
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import { WebSocketServer } from 'ws';
import * as sync from 'y-protocols/sync';
import * as Y from 'yjs';
import { startLivekitServer } from '../../scripts/livekit.mjs';

const TOKEN_TTL_SECONDS = 6 * 3_600;

/** The kind of message of y-websocket that carries documents; presence is nobody's need here. */
const MESSAGE_SYNC = 0;

/** What a row may need, by name; each answers with what its pages must know, and how to end it. */
export const servers = {
  livekit: async () => {
    const server = await startLivekitServer();
    const tokenOf = (contestant, role) => {
      const token = new AccessToken(server.apiKey, server.apiSecret, { identity: role, ttl: TOKEN_TTL_SECONDS });
      token.addGrant({ room: contestant, roomJoin: true, canPublish: true, canSubscribe: true, canPublishData: true });
      return token.toJwt();
    };
    const tokens = {};
    for (const contestant of ['limit', 'keeproom']) {
      tokens[contestant] = { main: await tokenOf(contestant, 'main'), other: await tokenOf(contestant, 'other') };
    }
    return { facts: { livekit: { url: server.url, tokens } }, stop: () => server.stop() };
  },
  yWebsocket: async () => {
    const { url, stop } = await listen(serveDocuments());
    return { facts: { yWebsocketUrl: url }, stop };
  },
  signaling: async () => {
    const { url, stop } = await listen(serveTopics());
    return { facts: { signalingUrl: url }, stop };
  },
};

async function listen(onConnection) {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', onConnection);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${http.address().port}`,
    stop: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A document per path, as y-websocket's own server holds them. */
function serveDocuments() {
  const documents = new Map();
  return (socket, { url }) => {
    let entry = documents.get(url);
    if (entry === undefined) {
      entry = { doc: new Y.Doc(), sockets: new Set() };
      documents.set(url, entry);
      const { doc, sockets } = entry;
      doc.on('update', (update) => {
        const message = writeMessage((encoder) => sync.writeUpdate(encoder, update));
        for (const one of sockets) one.send(message);
      });
    }
    const { doc, sockets } = entry;
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      // What comes next begins anew.
      if (sockets.size === 0) documents.delete(url);
    });
    socket.on('message', (data) => {
      const decoder = decoding.createDecoder(new Uint8Array(data));
      if (decoding.readVarUint(decoder) !== MESSAGE_SYNC) return;
      const encoder = encoding.createEncoder();
      encoding.writeVarUint(encoder, MESSAGE_SYNC);
      sync.readSyncMessage(decoder, encoder, doc, socket);
      if (encoding.length(encoder) > 1) socket.send(encoding.toUint8Array(encoder));
    });
    socket.send(writeMessage((encoder) => sync.writeSyncStep1(encoder, doc)));
  };
}

function writeMessage(write) {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, MESSAGE_SYNC);
  write(encoder);
  return encoding.toUint8Array(encoder);
}

/** Publish and subscribe, the protocol of y-webrtc's signalling server. */
function serveTopics() {
  const topics = new Map();
  return (socket) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'subscribe') {
        for (const topic of message.topics) topics.set(topic, (topics.get(topic) ?? new Set()).add(socket));
      }
      if (message.type === 'publish') {
        const receivers = topics.get(message.topic) ?? new Set();
        for (const one of receivers) one.send(JSON.stringify({ ...message, clients: receivers.size }));
      }
      if (message.type === 'ping') socket.send(JSON.stringify({ type: 'pong' }));
    });
    socket.on('close', () => {
      for (const sockets of topics.values()) sockets.delete(socket);
    });
  };
}
