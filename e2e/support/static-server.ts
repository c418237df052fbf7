/** A small static server: the built package, the pages of the tests, and the headers a test asks for. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface StaticOptions {
  /** Folders by URL prefix (`/dist/`), beside the default ones; paths are relative to the repository, or absolute. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Texts by URL path (`/index.html`); they win over folders. */
  readonly files?: Readonly<Record<string, string>>;
  /** Sent as Content-Security-Policy with every answer. */
  readonly csp?: string;
  readonly port?: number;
}

export interface StaticServer {
  /** `http://localhost:PORT`; the same files are at {@link otherOrigin}, which is another origin. */
  readonly origin: string;
  readonly otherOrigin: string;
  /** Paths asked for so far, in order. */
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

const defaultFolders = {
  '/dist/': 'dist',
  '/demo/': 'demo/dist',
  '/pages/': 'e2e/pages',
  '/livekit-client/': 'node_modules/livekit-client/dist',
};

/** An empty page on which `await import('keeproom')` works, as on a page without a bundler. */
export const blankPage = `<!doctype html>
<meta charset="utf-8" />
<title>keeproom test page</title>
<link rel="icon" href="data:," />
<script type="importmap">
  {
    "imports": {
      "keeproom": "/dist/index.js",
      "keeproom/livekit": "/dist/livekit.js",
      "livekit-client": "/livekit-client/livekit-client.esm.mjs"
    }
  }
</script>
`;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

export async function startStatic(options: StaticOptions = {}): Promise<StaticServer> {
  const folders = Object.entries({ ...defaultFolders, ...options.folders })
    .map(([prefix, folder]) => ({ prefix, folder: resolve(repository, folder) }))
    // The longest prefix is the most particular one.
    .sort((a, b) => b.prefix.length - a.prefix.length);
  const files: Readonly<Record<string, string>> = { '/': blankPage, ...options.files };
  const requests: string[] = [];

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    requests.push(path);
    const headers: Record<string, string> = { 'cache-control': 'no-store' };
    if (options.csp !== undefined) headers['content-security-policy'] = options.csp;
    const text = files[path];
    if (text !== undefined) {
      response.writeHead(200, { ...headers, 'content-type': types[extname(path)] ?? types['.html'] });
      response.end(text);
      return;
    }
    const file = await findFile(folders, path);
    if (file === undefined) {
      response.writeHead(404, { ...headers, 'content-type': 'text/plain; charset=utf-8' });
      response.end(`no ${path} here`);
      return;
    }
    response.writeHead(200, { ...headers, 'content-type': types[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  }

  await new Promise<void>((resolveListening, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolveListening);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://localhost:${port}`,
    otherOrigin: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolveClosed) => {
        server.close(() => {
          resolveClosed();
        });
        server.closeAllConnections();
      }),
  };
}

async function findFile(
  folders: readonly { readonly prefix: string; readonly folder: string }[],
  path: string,
): Promise<string | undefined> {
  for (const { prefix, folder } of folders) {
    if (!path.startsWith(prefix)) continue;
    const file = join(folder, path.slice(prefix.length));
    if (file !== folder && !file.startsWith(folder + sep)) return undefined;
    for (const candidate of [file, join(file, 'index.html')]) {
      const found = await stat(candidate).catch(() => undefined);
      if (found?.isFile() === true) return candidate;
    }
  }
  return undefined;
}
