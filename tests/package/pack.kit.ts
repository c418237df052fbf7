/** The published package, as a user gets it: packed once per test file, and installed into an empty folder. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const repository = fileURLToPath(new URL('../../', import.meta.url));
const execute = promisify(execFile);

export interface Packed {
  readonly folder: string;
  readonly tarball: string;
  /** Paths inside the package, sorted. */
  readonly files: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Packs what is built; building is the gate's first step, and building here would pull `dist` from under other tests. */
export async function pack(): Promise<Packed> {
  if (!existsSync(join(repository, 'dist', 'index.js'))) throw new Error('nothing is built: run `npm run build` first');
  const folder = await mkdtemp(join(tmpdir(), 'keeproom-pack-'));
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const { stdout } = await execute('npm', args, { cwd: repository });
  const [result] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  return {
    folder,
    tarball: join(folder, result!.filename),
    files: result!.files.map(({ path }) => path).sort(),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A new app with the tarball installed. Offline and with an empty cache: the package depends on nothing it does not carry. */
export async function install(packed: Packed, files: Readonly<Record<string, string>>): Promise<string> {
  const app = await mkdtemp(join(packed.folder, 'app-'));
  const manifest = { name: 'fresh-app', version: '1.0.0', private: true, type: 'module' };
  await writeFile(join(app, 'package.json'), JSON.stringify(manifest));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(app, path)), { recursive: true });
    await writeFile(join(app, path), text);
  }
  const cache = await mkdtemp(join(packed.folder, 'npm-cache-'));
  const args = ['install', '--offline', '--no-audit', '--no-fund', '--cache', cache, packed.tarball];
  await execute('npm', args, { cwd: app });
  return app;
}

/** Runs a tool of the repository's own node_modules; answers with its code and what it printed. */
export async function tool(
  script: string,
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly output: string }> {
  try {
    const { stdout } = await execute(process.execPath, [join(repository, 'node_modules', script), ...args], {
      cwd,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    return { code: typeof code === 'number' ? code : 1, output: stdout + stderr };
  }
}
