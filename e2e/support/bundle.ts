/** Source of the tests as a browser loads it. */
import { build, type Plugin } from 'vite';

/** One module with everything it imports, as one script; `entry` is relative to the repository. */
export async function bundle(entry: string, plugins: readonly Plugin[] = []): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    plugins: [...plugins],
    build: { write: false, minify: false, target: 'es2022', lib: { entry, formats: ['es'], fileName: 'bundle' } },
  });
  const chunk = (Array.isArray(built) ? built[0] : null)?.output[0];
  if (chunk === undefined) throw new Error(`nothing was built of ${entry}`);
  return chunk.code;
}
