/** Document, vector file and encoders say the same bytes: run in Node and in browsers. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/core/base/index.js';
import document from '../../docs/protocol.md?raw';
import file from '../../docs/vectors/v1.json?raw';
import { examplesOf, readVectorFile } from './document.kit.js';
import { buildVectors } from './vectors.kit.js';

/** Registers the suite. */
export function vectorSuite(): void {
  const vectors = Object.entries(buildVectors());
  const stored = readVectorFile(file);

  test('[S03] docs/vectors/v1.json holds what the encoders make, no less and no more', () => {
    expect([...stored].map(([name, bytes]) => [name, toHex(bytes)])).toEqual(
      vectors.map(([name, { bytes }]) => [name, toHex(bytes)]),
    );
  });

  test('[S03] docs/protocol.md shows every vector once, and nothing else', () => {
    const shown = examplesOf(document);
    expect([...shown.keys()].sort()).toEqual([...stored.keys()].sort());
    for (const [name, bytes] of stored) expect(shown.get(name), name).toBe(toHex(bytes));
  });

  describe('[S03] decoders read the vectors back, and encoders write them again', () => {
    test.each(vectors.filter(([, { again }]) => again !== undefined))('[S03] %s', (name, { again }) => {
      const bytes = stored.get(name);
      const written = bytes === undefined || again === undefined ? null : again(bytes);
      expect(written === null ? null : toHex(written)).toBe(bytes === undefined ? undefined : toHex(bytes));
    });
  });
}
