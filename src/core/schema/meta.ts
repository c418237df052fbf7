import type { Bytes } from '../base/index.js';
import { maxNameBytes } from '../op/index.js';
import type { CollectionDeclaration, Declaration, FieldDeclaration } from './declaration.js';
import { maxDeclarationBytes, maxRank, metaDomain } from './declaration.js';
import { encodeChecked, schemaPrefix } from './write.js';

/** Longest name of a person, in UTF-16 units. */
export const maxProfileNameLength = 100;
/** Longest title of a room, in UTF-16 units. */
const maxTitleLength = 200;

const maxColorLength = 32;
/** UTF-16 units; a name of 64 bytes never has more. */
const maxNameLength = maxNameBytes;
const hex32Length = 64;
const base64Url16Length = 22;
const base64Url32Length = 43;
const maxPerms = 0xffff_ffff;

/**
 * Our own schema: the ordinary records of the `meta` domain (X3). It is part of the format: it changes with a version.
 * A value that has the right type but says nothing sensible (a declaration that does not decode) is admitted like any
 * other; who reads it skips it.
 */
export const metaDeclaration: Declaration = {
  app: 'keeproom',
  collections: {
    /** Id: 12 zero bytes, then the device's prefix. */
    $profiles: collection({ name: text(maxProfileNameLength), color: { ...text(maxColorLength), need: 'optional' } }),
    /** base64url of encodeDeclaration(). */
    $schema: collection({ declaration: text(Math.ceil((maxDeclarationBytes * 4) / 3)) }),
    /** A data domain's name and its id in hex. */
    $domains: collection({ name: text(maxNameLength), domain: text(hex32Length) }),
    /** What a grant of the role is made from: `write` is "all", "none" or a list of domain names. */
    $roles: collection({
      name: text(maxNameLength),
      rank: { kind: 'number', min: 1, max: maxRank, integer: true, need: 'required' },
      perms: { kind: 'number', min: 0, max: maxPerms, integer: true, need: 'required' },
      write: { kind: 'json', need: { default: 'all' } },
    }),
    $room: {
      domain: metaDomain,
      owned: false,
      single: true,
      fields: { title: { ...text(maxTitleLength), need: { default: '' } } },
    },
    /** Lets every admitter answer (X9): the invite entry's id in hex, the id an ASK names and the psk in base64url. */
    $invites: collection({
      invite: text(hex32Length),
      inviteId: text(base64Url16Length),
      psk: text(base64Url32Length),
    }),
  },
  roles: {},
};

/** Schema prefix of every payload in `meta`. A function of the format; a fresh copy for each caller. */
export function metaPrefix(): Bytes {
  return schemaPrefix(encodeChecked(metaDeclaration, true));
}

function text(maxLength: number): Extract<FieldDeclaration, { readonly kind: 'string' }> {
  return { kind: 'string', maxLength, need: 'required' };
}

function collection(fields: CollectionDeclaration['fields']): CollectionDeclaration {
  return { domain: metaDomain, owned: false, single: false, fields };
}
