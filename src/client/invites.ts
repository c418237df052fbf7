import type { InviteInfo } from '../bridge/index.js';
import { briefHex } from '../core/base/index.js';
import type { Abort, Model, Scope, Write } from '../view/index.js';
import { expect, expectInteger, expectObject, KeeproomError, signalOf, wait } from '../view/index.js';
import { about } from './about.js';
import { expectText, randomBytes } from './check.js';
import type { RoomCore } from './core.js';
import type { EngineLink } from './link.js';
import { roleData, toInvite } from './people.js';
import type { Invite, Room } from './types.js';

const defaultExpiryMs: number = 7 * 86_400_000;
/** A century: an expiry is milliseconds in 48 bits, and nobody waits for it. */
const maxExpiryMs = 3.2e12;
/** As many as an invite's entry can say (format.md X9). */
const maxInviteUses = 65_535;

/** What invites of one handle stand on. */
export interface InviteParts {
  readonly core: RoomCore;
  readonly model: Model;
  readonly link: EngineLink;
  readonly scope: Scope;
}

/** `room.invites`. */
export function createInvites(parts: InviteParts): Room['invites'] {
  const { core, model, scope } = parts;
  const { replica } = core;
  const infos = about(core, scope, () => replica.info()?.invites ?? []);
  // The infos keep their identity while they are equal, so the invites do.
  const invites = new WeakMap<InviteInfo, Invite>();
  const inviteOf = (info: InviteInfo): Invite => {
    const invite = invites.get(info) ?? toInvite(model, info);
    invites.set(info, invite);
    return invite;
  };
  return Object.assign(
    about(core, scope, () => infos.value.map(inviteOf)),
    {
      create: (o: InviteRequest) => createInvite(parts, o),
      revoke: (id: string) => revokeInvite(parts, id),
    },
  );
}

interface InviteRequest {
  readonly role: string;
  readonly expiresInMs?: number;
  readonly maxUses?: number;
}

async function createInvite({ core, model, link, scope }: InviteParts, o: InviteRequest): Promise<Invite> {
  expectObject('invite', o);
  const { expiresInMs = defaultExpiryMs, maxUses = maxInviteUses } = o;
  const role = roleData(model, o.role);
  expect(role !== null, 'role', 'the name of a role', o.role);
  expectInteger('expiresInMs', expiresInMs, [1, maxExpiryMs]);
  expectInteger('maxUses', maxUses, [1, maxInviteUses]);
  const request = briefHex(randomBytes(16));
  const info = await link.call('createInvite', { room: core.id, request, role, maxUses, expiresInMs }, { scope });
  return toInvite(model, info);
}

/** An entry of `control` and not a write to records, so the engine is asked and nothing is shown before it has answered. */
function revokeInvite({ core, link, scope }: InviteParts, id: string): Write {
  expectText('id', id);
  const { replica } = core;
  const isListed = (): boolean => replica.info()?.invites.some((invite) => invite.id === id) === true;
  if (!isListed()) throw new KeeproomError('invite/invalid', 'no such invite');
  let isDone = false;
  const done = link.call('revokeInvite', { room: core.id, invite: id }, { scope }).then(() => void (isDone = true));
  done.catch(core.fail);
  const until = async (isOver: () => boolean, o?: Abort): Promise<void> =>
    wait({ signal: signalOf(o), scope }, ({ resolve, reject }) => {
      const check = (): void => {
        if (isDone && isOver()) resolve();
      };
      done.then(check, reject);
      return replica.about.watch(check);
    });
  return {
    result: undefined,
    saved: (o) => until(() => true, o),
    // The engine counts what no other device has; once this is among it, the list has lost the invite.
    delivered: (o) => until(() => !isListed() && replica.info()?.undelivered === 0, o),
  };
}
