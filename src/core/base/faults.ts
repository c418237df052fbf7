/**
 * The four outcomes of anything received (design: security.md §2.2, format.md F1, F8, F19).
 * reject: a pure function of the bytes and their causal past, permanent, the same at every peer ·
 * hold: wait for a dependency, key, schema, the clock or an upgrade · void: kept, without effect ·
 * refuse: this copy or this frame only; it says nothing about the entry.
 */
export type Outcome = 'reject' | 'hold' | 'void' | 'refuse';

/** Every fault code has exactly one outcome. Codes are stable: docs/protocol.md lists them. */
export const faultOutcomes = {
  // a frame, from whoever sent it
  'frame/malformed': 'refuse',
  'frame/oversized': 'refuse',
  'frame/unknown-type': 'refuse',
  'frame/unbound-source': 'refuse',
  'frame/misdirected': 'refuse',
  'frame/replayed': 'refuse',
  'frame/unknown-key': 'refuse',
  'frame/bad-seal': 'refuse',
  'frame/bad-signature': 'refuse',
  'frame/not-effective': 'refuse',
  'frame/unrequested': 'refuse',
  'hello/malformed': 'refuse',
  'hello/wrong-room': 'refuse',
  'hello/wrong-address': 'refuse',
  'hello/bad-signature': 'refuse',
  'join/malformed': 'refuse',
  'join/unknown-invite': 'refuse',
  'join/bad-seal': 'refuse',
  'join/bad-proof': 'refuse',
  // a pack or a stored row: a bad copy is never a bad entry (F1)
  'pack/malformed': 'refuse',
  'pack/oversized': 'refuse',
  'pack/unknown-key': 'hold',
  'pack/bad-seal': 'refuse',
  'pack/bad-body': 'refuse',
  'pack/bad-end': 'refuse',
  'pack/bad-signature': 'refuse',
  'store/corrupt': 'refuse',
  // values
  'value/malformed': 'void',
  'value/limits': 'void',
  // an entry
  'entry/malformed': 'reject',
  'entry/wrong-room': 'reject',
  'entry/no-grant': 'reject',
  'entry/unknown-version': 'hold',
  'entry/unknown-kind': 'hold',
  'entry/missing-prev': 'hold',
  'entry/missing-dep': 'hold',
  'entry/missing-cap': 'hold',
  'entry/missing-key': 'hold',
  'entry/missing-schema': 'hold',
  'entry/future-clock': 'hold',
  'entry/clock': 'void',
  'entry/cap': 'void',
  'entry/scope': 'void',
  'entry/payload': 'void',
  'entry/size': 'void',
  'entry/schema': 'void',
  'entry/owner': 'void',
  'entry/creator': 'void',
  'entry/forbidden': 'void',
  'entry/fork': 'void',
  'entry/grant-void': 'void',
  // control
  'control/malformed': 'reject',
  'control/clock': 'reject',
  'control/cap': 'reject',
  'control/forbidden': 'reject',
  'control/escalation': 'reject',
  'control/bad-bind': 'reject',
  'control/bad-key': 'reject',
  'control/bad-parent': 'reject',
  'control/bad-wrap': 'reject',
  'control/bad-invite': 'reject',
  'control/invite-revoked': 'void',
  'control/invite-slot': 'void',
  'control/fork': 'void',
} as const;

/** A stable code of the table above. */
export type FaultCode = keyof typeof faultOutcomes;
