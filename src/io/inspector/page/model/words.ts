/** Numbers and times as people read them. Times of day are local to the reader. */

const two = (part: number) => String(part).padStart(2, '0');

/** @returns `03:12` */
export function minuteClock(at: number): string {
  const time = new Date(at);
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** @returns `03:12:07` */
export function clock(at: number): string {
  return `${minuteClock(at)}:${two(new Date(at).getSeconds())}`;
}

/** @returns `03:12:07.115` */
export function preciseClock(at: number): string {
  return `${clock(at)}.${String(Math.floor(new Date(at).getMilliseconds())).padStart(3, '0')}`;
}

/** @returns `2026-11-23` */
export function day(at: number): string {
  const time = new Date(at);
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** @returns `11-23` */
export function dayMonth(at: number): string {
  return day(at).slice(5);
}

/** @returns the time, with its day where that is another than that of `beside` */
export function clockBeside(at: number, beside: number): string {
  return day(at) === day(beside) ? clock(at) : `${day(at)} ${clock(at)}`;
}

/** @returns the offset of local time at that moment, such as `UTC+02:00` */
export function zone(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '-' : '+'}${two(hours)}:${two(rest)}`;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @returns `842 ms`, `1.8 s`, `41 s`, `3 min 2 s`, `2 h 5 min`, `3 d 4 h` */
export function duration(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${Number((ms / SECOND).toFixed(1))} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return pair(ms, MINUTE, 'min', SECOND, 's');
  return ms < DAY ? pair(ms, HOUR, 'h', MINUTE, 'min') : pair(ms, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, unit: number, name: string, smaller: number, smallerName: string): string {
  const whole = Math.floor(ms / unit);
  const rest = Math.floor((ms - whole * unit) / smaller);
  return rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${smallerName}`;
}

/** @returns whole numbers with their thousands apart: `9,120` */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** @returns `1 request`, `2 requests` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** @returns `812 B`, `3.4 KB`, `64 MB` */
export function bytes(count: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** @returns `0`, `0.4`, `12`, `1,840` */
export function rate(perSecond: number): string {
  return perSecond > 0 && perSecond < 10 ? String(Number(perSecond.toFixed(1))) : grouped(perSecond);
}

/** Shortens an id in the middle, where ids differ least. */
export function shorten(id: string, most: number): string {
  if (id.length <= most) return id;
  const start = Math.ceil((most - 1) / 2);
  return `${id.slice(0, start)}…${id.slice(id.length - (most - 1 - start))}`;
}

/** @returns the last two names of a path, which tell most */
export function endOfPath(path: string): string {
  const names = path.split(/[\\/]/).filter((name) => name !== '');
  return names.length <= 2 ? path : `…/${names.slice(-2).join('/')}`;
}
