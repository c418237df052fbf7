/** A table of numbers by name in one buffer: values, then names. */
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function encodeState(table) {
  const names = encoder.encode([...table.keys()].join('\n'));
  const result = new Uint8Array(4 + 4 * table.size + names.length);
  new Uint32Array(result.buffer, 0, 1)[0] = table.size;
  new Uint32Array(result.buffer, 4, table.size).set([...table.values()]);
  result.set(names, 4 + 4 * table.size);
  return result;
}

/** The table again, readable on the page. `bytes` begins its buffer. */
export function decodeState(bytes) {
  const [size] = new Uint32Array(bytes.buffer, 0, 1);
  const values = new Uint32Array(bytes.buffer, 4, size);
  const names = decoder.decode(bytes.subarray(4 + 4 * size)).split('\n');
  const table = new Map();
  for (let i = 0; i < size; i++) table.set(names[i], values[i]);
  return table;
}
