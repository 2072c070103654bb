/** How explanations look: local times, durations, lines of at most 100 columns, and colours where there is a terminal. */
import { styleText } from 'node:util';

export const WIDTH = 100;

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Gives text a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Colours where the stream is a terminal and neither `NO_COLOR` nor its like forbids it. */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  return (style, text) => styleText(style, text, { stream });
}

export const paintNothing: Paint = (_style, text) => text;

/** @returns `03:12:07.115`, local */
export function clock(at: number): string {
  const time = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  const ms = String(time.getMilliseconds()).padStart(3, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${ms}`;
}

/** @returns `2026-11-23`, local */
export function day(at: number): string {
  const time = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** @returns the day and the time */
export function dayAndClock(at: number): string {
  return `${day(at)} ${clock(at)}`;
}

/** @returns the time, with its day if that is not the one of `beside` */
export function fullClockBeside(at: number, beside: number): string {
  return day(at) === day(beside) ? clock(at) : dayAndClock(at);
}

/** @returns the time to the second, with its day if that is not the one of `beside` */
export function clockBeside(at: number, beside: number): string {
  const time = clock(at).slice(0, 8);
  return day(at) === day(beside) ? time : `${day(at)} ${time}`;
}

/** @returns the offset of local time at that moment, such as `UTC+02:00` */
export function zone(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
}

/** @returns whole numbers with their thousands apart: `9,120` */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** @returns `1 request`, `2 requests` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** @returns how long in words: `842 ms`, `1.84 s`, `41.2 s`, `3 min 2 s`, `2 h 5 min`, `3 d 4 h` */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${Number((ms / SECOND).toFixed(2))} s`;
  if (ms < MINUTE) return `${Number((ms / SECOND).toFixed(1))} s`;
  if (ms < HOUR) return pair(ms, MINUTE, 'min', SECOND, 's');
  return ms < DAY ? pair(ms, HOUR, 'h', MINUTE, 'min') : pair(ms, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const whole = Math.floor(ms / unit);
  const rest = Math.floor((ms - whole * unit) / smaller);
  return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${smallerName}`;
}

/** Up to here the milliseconds of a timeline can be compared at a glance. */
const OFFSET_IN_MS = 100 * SECOND;

/** @returns the distance from an arrival: `+1,002 ms`, `-3 min 2 s` */
export function offset(ms: number): string {
  const distance = Math.abs(ms);
  const words = distance < OFFSET_IN_MS ? `${grouped(distance)} ms` : duration(distance);
  return `${ms < 0 ? '-' : '+'}${words}`;
}

/** Breaks text at spaces; a word longer than the width stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The first line after `head`, the others below it. */
export function hang(head: string, text: string): string[] {
  const [first = '', ...others] = wrap(text, WIDTH - head.length);
  return [`${head}${first}`, ...others.map((line) => `${' '.repeat(head.length)}${line}`)];
}

/** Shortens an id in the middle, where ids differ least. */
export function shorten(id: string, width: number): string {
  if (id.length <= width) return id;
  const start = Math.ceil((width - 1) / 2);
  return `${id.slice(0, start)}…${id.slice(id.length - (width - 1 - start))}`;
}
