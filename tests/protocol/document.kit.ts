/** docs/protocol.md taken apart: its worked examples, its rules, its tables. */
import type { Bytes } from '../../src/core/base/index.js';
import { fromHex, toHex } from '../../src/core/base/index.js';
import { buildVectors } from './vectors.kit.js';
import { chanceNames, chance } from './story.kit.js';

const block = /```hex (?<name>[a-z0-9.-]+)\n(?<hex>[0-9a-f\n]*)```/g;
const charsPerLine = 64;

/** The worked examples of a document, by name. A name that comes twice throws. */
export function examplesOf(document: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const match of document.matchAll(block)) {
    const { name = '', hex = '' } = match.groups ?? {};
    if (found.has(name)) throw new Error(`docs/protocol.md shows ${name} twice`);
    found.set(name, hex.replaceAll('\n', ''));
  }
  return found;
}

/** The document with every worked example written anew. */
export function fillExamples(document: string): string {
  const vectors = buildVectors();
  return document.replace(block, (_, name: string) => {
    const bytes = vectors[name]?.bytes;
    if (bytes === undefined) throw new Error(`docs/protocol.md names ${name}, which no vector is`);
    return `\`\`\`hex ${name}\n${linesOf(bytes)}\`\`\``;
  });
}

function linesOf(bytes: Bytes): string {
  return toHex(bytes).replace(new RegExp(`.{1,${String(charsPerLine)}}`, 'g'), '$&\n');
}

/** docs/vectors/v1.json as it should be. */
export function vectorFile(): string {
  const vectors = buildVectors();
  const inputs = Object.fromEntries(chanceNames().map((name) => [name, toHex(chance(name))]));
  const examples = Object.fromEntries(
    Object.entries(vectors).map(([name, { what, bytes }]) => [name, { what, hex: toHex(bytes) }]),
  );
  const about =
    'Worked examples of docs/protocol.md. inputs: what is random in life, SHA-256 of "keeproom/vectors/v1 " and the name; shorter values are their first bytes.';
  return `${JSON.stringify({ about, version: 1, inputs, vectors: examples }, null, 2)}\n`;
}

/** The file read back: bytes by name. */
export function readVectorFile(text: string): ReadonlyMap<string, Bytes> {
  const file: unknown = JSON.parse(text);
  const { vectors } = file as { readonly vectors: Readonly<Record<string, { readonly hex: string }>> };
  return new Map(
    Object.entries(vectors).map(([name, { hex }]) => {
      const bytes = fromHex(hex);
      if (bytes === null) throw new Error(`v1.json: ${name} is no hexadecimal`);
      return [name, bytes];
    }),
  );
}

/** Rows of the first table whose head line begins so, cells trimmed. */
export function tableOf(document: string, head: string): string[][] {
  const at = document.indexOf(`| ${head} |`);
  if (at < 0) throw new Error(`docs/protocol.md has no table | ${head} |`);
  const rows = document.slice(at).split('\n\n')[0]?.split('\n') ?? [];
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
