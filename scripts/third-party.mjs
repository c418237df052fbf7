/** A bundler plugin: the libraries that really ended in a bundle, with their licences, in THIRD-PARTY.txt. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Shared by the builds of one run, so that the last one to end writes the whole list. */
const foldersByName = new Map();

export function thirdParty(target = 'THIRD-PARTY.txt') {
  return {
    name: 'keeproom-third-party',
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk' || chunk.fileName.endsWith('.d.ts')) continue;
        for (const [id, module] of Object.entries(chunk.modules)) {
          // A module of which nothing was kept is not distributed.
          const match = /^(.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+))[\\/]/.exec(id);
          if (match !== null && module.renderedLength > 0) foldersByName.set(match[2].replaceAll('\\', '/'), match[1]);
        }
      }
      writeFileSync(target, textOf([...foldersByName].sort(([a], [b]) => (a < b ? -1 : 1))));
    },
  };
}

function textOf(entries) {
  const parts = entries.map(([name, folder]) => {
    const { version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    if (file === undefined || typeof license !== 'string')
      throw new Error(`${name} ${version} comes without its licence`);
    const head = [`${name} ${version}`, license, homepage].filter(Boolean).join(' · ');
    return `${head}\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  });
  const intro = 'keeproom contains code of these libraries. Their licences follow.\n';
  return [intro, ...parts].join(`\n${'-'.repeat(80)}\n\n`);
}
