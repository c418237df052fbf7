/**
 * npm start: installs what is missing, builds, and serves the demo on loopback.
 *
 *   npm start                  no server needed; offers a call when LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET
 *                              are set, or when a livekit-server is on the PATH (started on loopback)
 *   npm start -- --livekit     sets up a livekit-server where there is none and starts it on loopback, unless the three
 *                              are set: then that server is used, as without it
 *   npm start -- --port=5200   asks for this port; the next free one is taken otherwise
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { demoConfig, demoRoot } from './demo.mjs';
import { exitOnSignals, run } from './lib/run.mjs';
import { startLivekitServer } from './livekit.mjs';
import { setUp, tools } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const DEFAULT_PORT = 5173;
const TOKEN_TTL_SECONDS = 3600;
const MAX_NAME_CHARS = 128;

async function main() {
  const { wantsLivekit, port } = readArguments();
  const given = callOfEnvironment();
  const absent = await setUp(wantsLivekit && given === undefined ? ['node', 'livekit'] : ['node']);
  if (absent.length > 0) throw new Error(`missing ${absent.join(', ')}; see above for what was tried.`);
  if (!existsSync(join(demoRoot, 'index.html'))) throw new Error('there is no demo/index.html in this tree.');

  console.log('building        npm run build');
  const built = await run(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root });
  if (built.code !== 0) throw new Error(`the build failed:\n${built.output}`);

  const livekit = given ?? (await ownCall(wantsLivekit));
  const { createServer } = await import('vite');
  const server = await createServer({
    ...demoConfig([callEndpoints(livekit)]),
    logLevel: 'warn',
    server: { ...demoConfig().server, port },
  });
  await server.listen();
  console.log(
    livekit === undefined
      ? 'call            none (no LIVEKIT_URL, no livekit-server)'
      : `call            ${livekit.url}`,
  );
  console.log(`keeproom demo: http://localhost:${server.httpServer.address().port}/`);
}

function readArguments() {
  let port = DEFAULT_PORT;
  let wantsLivekit = false;
  for (const arg of process.argv.slice(2)) {
    const given = /^--port=(\d+)$/.exec(arg);
    if (given !== null) port = Number(given[1]);
    else if (arg === '--livekit') wantsLivekit = true;
    else throw new Error(`unknown argument ${arg}; expected --livekit or --port=NUMBER`);
  }
  return { wantsLivekit, port };
}

/** The call that the environment names; it comes before a server of our own. */
function callOfEnvironment() {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = process.env;
  if (!url) return undefined;
  if (!apiKey || !apiSecret)
    throw new Error('LIVEKIT_URL is set: LIVEKIT_API_KEY and LIVEKIT_API_SECRET are needed too.');
  return { url, apiKey, apiSecret };
}

/** A server of our own on loopback, where there is one or it is asked for. */
async function ownCall(wantsLivekit) {
  if (wantsLivekit) return startLivekitServer();
  // One that only an earlier set-up fetched for the tests is started on request alone.
  if (!['PATH', 'LIVEKIT_SERVER'].includes(tools().livekit?.from)) return undefined;
  return startLivekitServer().catch((error) => {
    console.log(`call            none: ${error.message}`);
    return undefined;
  });
}

/**
 * `/config.json` tells the page whether there is a call; `/token?room=…&identity=…` mints a token for it, good for data
 * and for nothing else. Whoever can reach this server may join any room: it listens on loopback only, and answers
 * neither a page of another site nor another host name than ours (Vite checks the name).
 */
function callEndpoints(livekit) {
  return {
    name: 'keeproom-call',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const { pathname, searchParams } = new URL(request.url, 'http://localhost');
        if (pathname !== '/config.json' && pathname !== '/token') return next();
        const site = request.headers['sec-fetch-site'];
        if (
          !isLoopback(request.socket.remoteAddress) ||
          (site !== undefined && site !== 'same-origin' && site !== 'none')
        ) {
          return answer(response, 403, { error: 'this answers the demo on the same machine only' });
        }
        if (pathname === '/config.json') {
          return answer(response, 200, { livekit: livekit === undefined ? null : { url: livekit.url } });
        }
        if (livekit === undefined)
          return answer(response, 404, { error: 'there is no call: see npm start -- --livekit' });
        const [room, identity] = [searchParams.get('room'), searchParams.get('identity')];
        for (const [name, value] of Object.entries({ room, identity })) {
          if (!value || value.length > MAX_NAME_CHARS) {
            return answer(response, 400, { error: `${name}: expected 1 to ${MAX_NAME_CHARS} characters` });
          }
        }
        mintToken(livekit, room, identity).then(
          (token) => answer(response, 200, { url: livekit.url, token }),
          (error) => answer(response, 500, { error: error.message }),
        );
      });
    },
  };
}

async function mintToken({ apiKey, apiSecret }, room, identity) {
  const { AccessToken } = await import('livekit-server-sdk');
  const token = new AccessToken(apiKey, apiSecret, { identity, ttl: TOKEN_TTL_SECONDS });
  token.addGrant({
    room,
    roomJoin: true,
    canPublish: false,
    canSubscribe: true,
    canPublishData: true,
    canUpdateOwnMetadata: true,
  });
  return token.toJwt();
}

function isLoopback(address) {
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1';
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

exitOnSignals();
main().catch((error) => {
  console.error(`start: ${error.message}`);
  process.exit(1);
});
