/** Times, as people read them. */
import { element } from './console-elements.js';

const DAY_AND_TIME = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const TO_THE_SECOND = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const DISTANCE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** What is nearly an hour is called one, and not sixty minutes. */
const ROUNDED = 0.99;

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** "22 Nov 2026, 18:45 (3 minutes ago)" */
export function moment(iso, never = 'never') {
  if (!iso) return never;
  const when = new Date(iso);
  return element('time', { datetime: iso }, `${DAY_AND_TIME.format(when)} (${distance(when)})`);
}

/** "22 Nov 2026, 18:45:03" */
export function instant(iso) {
  return element('time', { datetime: iso }, TO_THE_SECOND.format(new Date(iso)));
}

/** "18:45" today, with the day otherwise. */
export function clock(when) {
  const today = when.toDateString() === new Date().toDateString();
  return (today ? TIME : DAY_AND_TIME).format(when);
}

/** "3 minutes", "12 seconds" */
export function duration(seconds) {
  const [unit, size] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ['second', 1];
  const count = Math.ceil(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function distance(when) {
  const seconds = (when.getTime() - Date.now()) / 1_000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length * ROUNDED) ?? ['minute', 60];
  if (Math.abs(seconds) < 60 * ROUNDED) return seconds > 0 ? 'in a moment' : 'just now';
  return DISTANCE.format(Math.round(seconds / size), unit);
}
