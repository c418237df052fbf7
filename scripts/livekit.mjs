/** A real livekit-server on loopback, for the demo and for the tests. No dependencies. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireTool } from './setup.mjs';

const HEALTHY_WITHIN_MS = 15_000;
const HEALTH_POLL_MS = 50;
/** A SIGTERM in the first moments hangs the server. */
const SETTLE_MS = 300;
/** With participants it drains on SIGTERM and still lets others in: the second one ends that. */
const SECOND_TERM_MS = 300;
const KILL_AFTER_MS = 2_000;
const GIVE_UP_MS = 7_000;
/** Somebody else may take a free port between our asking and the server's binding. */
const PORT_TRIES = 5;

/**
 * @param {{ path?: string, port?: number, apiKey?: string, apiSecret?: string }} [options]
 * @returns a server that is healthy; `stop` and `start` keep its ports and keys
 */
export async function startLivekitServer(options = {}) {
  const path = options.path ?? requireTool('livekit').path;
  const apiKey = options.apiKey ?? 'keeproom';
  const apiSecret = options.apiSecret ?? randomBytes(24).toString('hex');
  const tries = options.port === undefined ? PORT_TRIES : 1;
  let problem;
  for (let attempt = 0; attempt < tries; attempt++) {
    const port = options.port ?? (await freeTcpPort());
    const settings = { path, port, udpPort: await freeUdpPort(), apiKey, apiSecret };
    try {
      return describe(settings, await launch(settings));
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}

function describe(settings, first) {
  let child = first;
  const server = {
    url: `ws://127.0.0.1:${settings.port}`,
    httpUrl: `http://127.0.0.1:${settings.port}`,
    apiKey: settings.apiKey,
    apiSecret: settings.apiSecret,
    /** Of the running server; undefined while it is stopped. */
    get pid() {
      return child?.process.pid;
    },
    /** What the server has written so far. */
    log: () => child?.log() ?? '',
    async start() {
      child ??= await launch(settings);
    },
    /** Ends the server for certain; safe to call twice. */
    async stop() {
      const ending = child;
      child = undefined;
      await ending?.stop();
    },
    /** As a crash: no notice to anybody. */
    async kill() {
      const ending = child;
      child = undefined;
      await ending?.kill();
    },
  };
  return server;
}

async function launch({ path, port, udpPort, apiKey, apiSecret }) {
  const child = spawn(path, ['--config-body', configOf({ port, udpPort, apiKey, apiSecret })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
  const log = () => Buffer.concat(chunks).toString('utf8');
  let hasEnded = false;
  const ended = new Promise((resolve) => {
    const end = () => {
      hasEnded = true;
      resolve();
    };
    child.once('exit', end);
    child.once('error', (error) => {
      chunks.push(Buffer.from(String(error)));
      end();
    });
  });
  const killNow = () => child.kill('SIGKILL');
  process.once('exit', killNow);
  void ended.then(() => process.removeListener('exit', killNow));

  const kill = async () => {
    killNow();
    await Promise.race([ended, sleep(GIVE_UP_MS, undefined, { ref: false })]);
    if (!hasEnded) throw new Error(`livekit-server (pid ${child.pid}) outlived SIGKILL`);
  };
  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(SECOND_TERM_MS)]);
    if (!hasEnded) child.kill('SIGTERM');
    await Promise.race([ended, sleep(KILL_AFTER_MS)]);
    if (!hasEnded) await kill();
  };

  const endMs = Date.now() + HEALTHY_WITHIN_MS;
  while (!hasEnded && !(await isHealthy(port))) {
    if (Date.now() > endMs) {
      await kill();
      throw new Error(`livekit-server was not healthy within ${HEALTHY_WITHIN_MS / 1000} s:\n${log()}`);
    }
    await sleep(HEALTH_POLL_MS);
  }
  // On a port clash the other server answers, while ours ends with code 0: only a living child is ours.
  await Promise.race([ended, sleep(SETTLE_MS)]);
  if (hasEnded) throw new Error(`livekit-server ended at once (code ${child.exitCode}):\n${log()}`);
  return { process: child, log, stop, kill };
}

/** Everything on loopback: signalling by the address, media by the interface; `tcp_port: 0` opens no TCP port for media. */
function configOf({ port, udpPort, apiKey, apiSecret }) {
  const loopback = Object.entries(networkInterfaces()).find(([, list]) => list?.some((entry) => entry.internal))?.[0];
  return JSON.stringify({
    port,
    bind_addresses: ['127.0.0.1'],
    rtc: {
      udp_port: udpPort,
      tcp_port: 0,
      use_external_ip: false,
      node_ip: '127.0.0.1',
      enable_loopback_candidate: true,
      interfaces: { includes: [loopback ?? 'lo'] },
    },
    keys: { [apiKey]: apiSecret },
    logging: { level: 'warn' },
  });
}

async function isHealthy(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
    return response.status === 200;
  } catch {
    return false;
  }
}

export function freeTcpPort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function freeUdpPort() {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
