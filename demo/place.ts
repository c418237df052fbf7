import type { Place } from './move.js';
import type { Card, DemoRoom } from './schema.js';

const steps = [0.02, 0.34, 0.66, 0.98];
const places: readonly Place[] = steps.flatMap((y) => steps.map((x) => ({ x, y })));

/**
 * Where a new card goes: of a few places, the one that covers least of the others on a board of this size. Members have
 * columns of their own, so that two who cannot hear each other do not both choose the same place.
 */
export function freePlace(surface: HTMLElement, { data, members, me }: DemoRoom): Place {
  const cards = data.cards.value;
  const turns = Math.min(Math.max(members.value.length, 1), steps.length);
  const turn = members.value.filter(({ id }) => id < me.value.id).length % turns;
  const mine = places.filter((_, n) => n % turns === turn);
  const some = surface.querySelector<HTMLElement>('.card');
  // In cards: two that are one apart, across or down, do not touch.
  const wide = some === null ? 1 : surface.clientWidth / some.offsetWidth - 1;
  const high = some === null ? 1 : surface.clientHeight / some.offsetHeight - 1;
  const covered = (at: Place): number =>
    cards.reduce((sum, { x, y }) => sum + overlap((at.x - x) * wide) * overlap((at.y - y) * high), 0);
  return mine.reduce((best, place) => (covered(place) < covered(best) ? place : best));
}

function overlap(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance));
}

/** How far beside each other cards of one place are drawn. */
const step = 0.07;

/** Cards as they are drawn: of those at one place, each a little further into the board than the one before. */
export function apart(cards: readonly Card[]): readonly Card[] {
  const counts = new Map<string, number>();
  return cards.map((card) => {
    const place = `${card.x} ${card.y}`;
    const nth = counts.get(place) ?? 0;
    counts.set(place, nth + 1);
    return nth === 0 ? card : { ...card, x: beside(card.x, nth), y: beside(card.y, nth) };
  });
}

function beside(fraction: number, nth: number): number {
  const by = (nth * step) % 0.5;
  return Math.round((fraction + (fraction > 0.5 ? -by : by)) * 1_000) / 1_000;
}
