/** The pages of the suite: built with Vite as an app would be, served with the headers that isolate an origin. */
import { createReadStream, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import process from 'node:process';
import { build } from 'vite';
import { benchRoot, repository } from './paths.mjs';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.wasm': 'application/wasm',
};

/** Precise clocks need isolation; it is the same for all contestants. */
const headers = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'cross-origin',
};

/**
 * keeproom stays outside of the bundle: pages load dist/ as it is shipped, through an import map, worker and all.
 * Automerge is taken with its WebAssembly inside, which its authors offer for bundlers without a plugin.
 *
 * @returns the folder of the pages, of this process alone
 */
export async function buildPages() {
  const outDir = join(benchRoot, '.build', `pages-${process.pid}`);
  const automerge = join(benchRoot, 'node_modules/@automerge/automerge/dist/mjs/entrypoints/fullfat_base64.js');
  await build({
    configFile: false,
    root: join(benchRoot, 'pages'),
    base: '/',
    logLevel: 'error',
    resolve: {
      alias: [
        { find: /^@automerge\/automerge$/, replacement: automerge },
        { find: /^loro-crdt$/, replacement: join(benchRoot, 'node_modules/loro-crdt/base64/index.js') },
      ],
    },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      minify: true,
      modulePreload: false,
      chunkSizeWarningLimit: 10_000,
      rolldownOptions: {
        input: join(benchRoot, 'pages', 'bench.html'),
        external: ['keeproom', 'keeproom/livekit', 'livekit-client'],
      },
    },
    worker: { format: 'es' },
  });
  return outDir;
}

/**
 * @param {{ pages: string, dist?: string }} options folders; `dist`: another build of keeproom than the shipped one
 * @returns a server on loopback; `urlOf` names a contestant's own origin, so that each has a process and a disk quota
 */
export async function serveSite({ pages, dist = join(repository, 'dist') }) {
  const folders = [
    ['/dist/', dist],
    ['/livekit-client/', join(repository, 'node_modules', 'livekit-client', 'dist')],
    ['/', pages],
  ];
  const server = createServer((request, response) => {
    answer(folders, request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  return {
    urlOf: (contestant) => `http://${contestant}.localhost:${port}/bench.html`,
    close: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      rmSync(pages, { recursive: true, force: true });
    },
  };
}

async function answer(folders, request, response) {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
  for (const [prefix, folder] of folders) {
    if (!path.startsWith(prefix)) continue;
    const file = join(folder, path.slice(prefix.length));
    if (!file.startsWith(folder + sep)) break;
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) break;
    response.writeHead(200, { ...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
    return;
  }
  response.writeHead(404, headers);
  response.end(`no ${path} here`);
}
