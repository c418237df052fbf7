/** The demo's Vite configuration, for its build and for `npm start`: it imports the package by name, as an app does. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const demoRoot = join(root, 'demo');

/** @param {import('vite').Plugin[]} [plugins] */
export function demoConfig(plugins = []) {
  return {
    configFile: false,
    root: demoRoot,
    base: './',
    cacheDir: join(root, '.cache', 'vite-demo'),
    resolve: {
      alias: [
        { find: /^keeproom$/, replacement: join(root, 'dist', 'index.js') },
        { find: /^keeproom\/livekit$/, replacement: join(root, 'dist', 'livekit.js') },
      ],
    },
    worker: { format: 'es' },
    build: { outDir: 'dist', emptyOutDir: true, target: 'es2022' },
    server: { host: '127.0.0.1', fs: { allow: [root] } },
    plugins,
  };
}
