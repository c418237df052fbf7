import { expect, test } from 'vitest';
import { fromHex } from '../base/index.js';
import { decodeValue, encodeValue, valueLimits } from './index.js';

const bytesOf = (hex: string): Uint8Array<ArrayBuffer> => fromHex(hex.replaceAll(' ', '')) ?? new Uint8Array();
const codeOf = (hex: string): string => {
  const read = decodeValue(bytesOf(hex));
  return read.ok ? 'ok' : read.fault.code;
};

/** What the strict reader refuses and keeps, byte by byte: UTF-8 comes from the platform, so every engine runs it. */
export function readerSuite(): void {
  test.each([
    ['nothing', ''],
    ['trailing bytes', '0000'],
    ['an unused head', 'c1'],
    ['ext 8', 'c7 00 01'],
    ['ext 16', 'c8 0000 01'],
    ['ext 32', 'c9 00000000 01'],
    ['fixext 1', 'd4 01 00'],
    ['fixext 4, the timestamp', 'd6 ff 00000000'],
    ['fixext 16', `d8 01 ${'00'.repeat(16)}`],
    ['f32', 'ca 3f000000'],
    ['NaN', 'cb 7ff8000000000000'],
    ['a NaN with payload', 'cb fff0000000000001'],
    ['infinity', 'cb 7ff0000000000000'],
    ['-infinity', 'cb fff0000000000000'],
    ['-0', 'cb 8000000000000000'],
    ['0 as f64', 'cb 0000000000000000'],
    ['1 as f64', 'cb 3ff0000000000000'],
    ['2^53 as f64', 'cb 4340000000000000'],
    ['1e300', 'cb 7e37e43c8800759c'],
    ['uint 8 below 128', 'cc 7f'],
    ['uint 16 below 256', 'cd 00ff'],
    ['uint 32 below 65,536', 'ce 0000ffff'],
    ['uint 64 below 2^32', 'cf 00000000ffffffff'],
    ['2^53', 'cf 0020000000000000'],
    ['2^53 + 1', 'cf 0020000000000001'],
    ['2^64 - 1', 'cf ffffffffffffffff'],
    ['a positive int 8', 'd0 7f'],
    ['int 8 in a fixint', 'd0 e0'],
    ['int 16 in 8 bits', 'd1 ff80'],
    ['a positive int 16', 'd1 0100'],
    ['int 32 in 16 bits', 'd2 ffff8000'],
    ['a positive int 32', 'd2 7fffffff'],
    ['int 64 in 32 bits', 'd3 ffffffff80000000'],
    ['a positive int 64', 'd3 0000000100000000'],
    ['-2^53', 'd3 ffe0000000000000'],
    ['-2^63', 'd3 8000000000000000'],
    ['text 8 below 32', `d9 1f ${'78'.repeat(31)}`],
    ['text 16 below 256', 'da 0001 78'],
    ['text 32 below 65,536', 'db 00000001 78'],
    ['bytes 16 below 256', 'c5 0001 00'],
    ['bytes 32 below 65,536', 'c6 00000001 00'],
    ['array 16 below 16', 'dc 0001 00'],
    ['array 32 below 65,536', 'dd 00000001 00'],
    ['map 16 below 16', 'de 0001 a0 00'],
    ['map 32 below 65,536', 'df 00000001 a0 00'],
    ['a cut text', 'a2 78'],
    ['a cut length', 'd9'],
    ['a cut number', 'cd 01'],
    ['a cut double', 'cb 3fe00000'],
    ['a text longer than the input', 'db ffffffff 78'],
    ['bytes longer than the input', 'c6 ffffffff 00'],
    ['an array longer than the input', 'dd ffffffff 00'],
    ['a map longer than the input', 'df ffffffff a0 00'],
    ['an array without its items', '91'],
    ['a map without its value', '81 a1 61'],
    ['an integer key', '81 01 01'],
    ['a byte string key', '81 c4 01 61 01'],
    ['a nil key', '81 c0 01'],
    ['equal keys', '82 a1 61 01 a1 61 02'],
    ['falling keys', '82 a1 62 01 a1 61 02'],
    ['keys in the order of UTF-16', '82 a4 f09f9880 01 a3 efbfbf 02'],
    ['a longer key before its prefix', '82 a2 6161 01 a1 61 02'],
    ['__proto__', '81 a9 5f5f70726f746f5f5f 01'],
    ['a key in an ill form', '81 a1 ff 01'],
    ['an overlong form', 'a2 c080'],
    ['an overlong slash', 'a3 e080af'],
    ['a surrogate', 'a3 eda080'],
    ['beyond U+10FFFF', 'a4 f4908080'],
    ['a lone continuation', 'a1 80'],
    ['a cut sequence', 'a2 e282'],
    ['a cut sequence in a long text', `d9 21 ${'78'.repeat(32)} c3`],
  ])('[F14] %s', (_, hex) => {
    expect(codeOf(hex)).toBe('value/malformed');
  });

  test('[F14] the limits, each at its border', () => {
    expect(codeOf(`${'91'.repeat(32)}00`)).toBe('ok');
    expect(codeOf(`${'91'.repeat(33)}00`)).toBe('value/limits');
    expect(codeOf(`${'91'.repeat(32)}90`)).toBe('value/limits');
    expect(codeOf(`${'81a0'.repeat(32)}00`)).toBe('ok');
    expect(codeOf(`${'81a0'.repeat(33)}00`)).toBe('value/limits');
    expect(decodeValue(bytesOf('93 01 02 03'), { ...valueLimits, maxNodes: 4 }).ok).toBe(true);
    expect(decodeValue(bytesOf('94 01 02 03 04'), { ...valueLimits, maxNodes: 4 })).toMatchObject({
      fault: { code: 'value/limits' },
    });
    expect(decodeValue(bytesOf('a2 6161'), { ...valueLimits, maxBytes: 2 })).toMatchObject({
      fault: { code: 'value/limits' },
    });
  });

  test('texts keep what a lenient reader drops', () => {
    for (const text of ['\ufeff', `\ufeff${'x'.repeat(300)}`, '\u0000', 'e\u0301', '\ufffd', '\u{10ffff}']) {
      expect(decodeValue(encodeValue(text))).toEqual({ ok: true, value: text });
    }
  });

  test('a view into a larger buffer is read within its bounds', () => {
    const outer = Uint8Array.of(0x93, 0x92, 0x01, 0x02, 0x03);
    expect(decodeValue(outer.subarray(1, 4))).toEqual({ ok: true, value: [1, 2] });
  });
}
