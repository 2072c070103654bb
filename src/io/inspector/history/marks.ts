/** Places of the log worth finding again. Of each kind a bounded number is kept, spread over the whole log. */
import type { Entry } from '../../../actors/events.ts';
import type { Instant, Mark, MarkKind } from '../api.ts';

const KEPT_OF_A_KIND = 5000;
const SENT = 3000;

export class MarkTable {
  readonly #byKind = new Map<MarkKind, Mark[]>();

  add(kind: MarkKind, { seq, at }: Instant, text: string, backend?: string): void {
    const marks = this.#byKind.get(kind) ?? [];
    marks.push({ seq, at, kind, text, ...(backend === undefined ? {} : { backend }) });
    this.#byKind.set(kind, marks.length <= KEPT_OF_A_KIND ? marks : everySecond(marks));
  }

  /** Marks what an entry tells. */
  note(entry: Entry): void {
    const { fact, decisions } = entry;
    switch (fact.type) {
      case 'config.rejected':
        this.add('reloadRefused', entry, `a reload was refused: ${problems(fact.problems)} in the config`);
        break;
      case 'operator.drained':
        this.add('drained', entry, `${fact.backend} was drained by an operator`, fact.backend);
        break;
      case 'operator.restored':
        this.add('restored', entry, `${fact.backend} was restored by an operator`, fact.backend);
        break;
      default:
    }
    for (const decision of decisions) {
      if (decision.type === 'backend.changed') {
        const { backend, from, to, reason } = decision;
        if (from === 'healthy' && (to === 'unhealthy' || to === 'ejected'))
          this.add('fell', entry, `${backend} fell: ${reason}`, backend);
        if ((from === 'unhealthy' || from === 'ejected') && to === 'healthy')
          this.add('rose', entry, `${backend} rose: ${reason}`, backend);
      } else if (decision.type === 'config.applied' && fact.type === 'config.reloaded') {
        this.add('reloaded', entry, reloadInWords(decision));
      } else if (decision.type === 'gateway.stopped') {
        this.add('stopped', entry, 'the gateway stopped');
      }
    }
  }

  forgetBefore(seq: number): void {
    for (const [kind, marks] of this.#byKind) {
      const kept = marks.filter((mark) => mark.seq >= seq);
      if (kept.length > 0) this.#byKind.set(kind, kept);
      else this.#byKind.delete(kind);
    }
  }

  /** The rarest kinds whole, of the others as many as there is room for; oldest first. */
  report(): Mark[] {
    const sent: Mark[] = [];
    const kinds = [...this.#byKind.values()].sort((one, other) => one.length - other.length);
    for (const [index, marks] of kinds.entries()) {
      const share = Math.floor((SENT - sent.length) / (kinds.length - index));
      sent.push(...spread(marks, share));
    }
    return sent.sort((one, other) => one.seq - other.seq);
  }
}

function problems(count: number): string {
  return `${count} problem${count === 1 ? '' : 's'}`;
}

function reloadInWords(
  differences: Readonly<Record<'added' | 'removed' | 'changed', readonly string[]>>,
): string {
  const { added, removed, changed } = differences;
  const parts = Object.entries({ added, removed, changed }).filter(([, ids]) => ids.length > 0);
  return parts.length === 0
    ? 'the config was reloaded; no backend is different'
    : `the config was reloaded: ${parts.map(([what, ids]) => `${what} ${few(ids)}`).join('; ')}`;
}

function few(ids: readonly string[]): string {
  return ids.length <= 5 ? ids.join(', ') : `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`;
}

function everySecond(marks: readonly Mark[]): Mark[] {
  return marks.filter((_, index) => index % 2 === 0);
}

function spread(marks: readonly Mark[], most: number): Mark[] {
  if (marks.length <= most) return [...marks];
  return Array.from({ length: most }, (_, index) => marks[Math.floor((index * marks.length) / most)]).filter(
    (mark) => mark !== undefined,
  );
}
