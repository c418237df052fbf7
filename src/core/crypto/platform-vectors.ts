/** One signature with its verdict under ED25519-STRICT-1; bytes as hexadecimal. */
export interface StrictVector {
  readonly name: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  readonly isValid: boolean;
}

const publicKey = '9ff92c7a72705eb2e26369fe9e2cbbce16804f5dda8f6b9c0c94f2ea688a4a0e';
/** `keeproom X` */
const message = '6b656570726f6f6d2058';
const pointR = '084f8674622754148b5e2c98578e1f318996b9b713e76f92d98b2394ef7e7781';
const signature = `${pointR}7a24d9bba454886f7b137e04344c52c47df06665709d4f2f9706eb60b6ebe60a`;

/** The text with the lowest bit of one digit changed. */
const flip = (hex: string, at: number): string =>
  `${hex.slice(0, at)}${(parseInt(hex.charAt(at), 16) ^ 1).toString(16)}${hex.slice(at + 1)}`;

const rows: readonly (readonly [name: string, signature: string, message?: string])[] = [
  ['good', signature],
  ['good, empty message', `${pointR}a00f6ddee41fa7f15bc95f639b85b71df489af71b9c1191aea8dd1978726e609`, ''],
  [
    'X1 key ok, R + order 2',
    'e5b0798b9dd8abeb74a1d367a871e0ce76694648ec18906d2674dc6b1081887e30905f6900652e296f45918ffdc76aef5e02e697318273c7201b2ad2a75c5c09',
  ],
  [
    'X1 key ok, R + order 4',
    'bb720c33ea089bde7e54d9c252c4f765591f70687b1026250aee49ec6f1534209d47c28f334a233884553b428fe2fca850e9b41f06f28e4acf6cf2aa9ddbea03',
  ],
  [
    'X1 key ok, R + order 8',
    '068685ea4d6f64f7a6517bd594c3735924994c976f090e9c0a61e4cef34722153c020c9fa370d423eec847607e4e2dc6971e294ee4f57bb50f878b81efd7130c',
  ],
  ['bit of R', flip(signature, 7)],
  ['bit of S', flip(signature, 81)],
  ['bit of the message', signature, flip(message, 1)],
];

/**
 * The vectors that are the platform's to judge, one per way to be right or wrong (X1: R shifted by a point of small
 * order, which cofactored verifiers take). A platform that answers one of them differently would fork a room: the Vault
 * asks them at start. All the others end at the byte checks or at key admission, which are our own code everywhere.
 */
export const platformVectors: readonly StrictVector[] = rows.map(([name, sig, text = message], i) => ({
  name,
  publicKey,
  message: text,
  signature: sig,
  isValid: i < 2,
}));
