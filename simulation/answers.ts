/** What a backend of a simulated world makes of one request: an answer, half of one, a refusal, or silence. */

import type { UpstreamFailure } from '../src/actors/events.ts';
import type { AnswerHead } from '../src/streams/requests.ts';
import { between, chance, oneOf, spread } from './draw.ts';
import type { WorldSettings } from './scenario.ts';
import type { Server } from './servers.ts';

export type Answer = {
  /** After how long the head comes; undefined if none comes, and `breaks` tells what does. */
  readonly head: (AnswerHead & { readonly afterMs: number }) | undefined;
  /** After how long from the head it ends; undefined if it breaks instead. */
  readonly endsAfterMs: number | undefined;
  /** After how long from the last of the above the connection breaks. */
  readonly breaks: { readonly afterMs: number; readonly reason: UpstreamFailure } | undefined;
  /** Whether all of it comes in one turn, so that only its end is reported. */
  readonly isWhole: boolean;
  readonly closes: 'not' | 'before' | 'after';
};

export type Asked = {
  readonly isTunnel: boolean;
  /** How much longer an answer takes because its client reads slowly. */
  readonly slowness: number;
};

export function drawAnswer(server: Server, asked: Asked, settings: WorldSettings): Answer {
  const { draw, fault, typicalMs } = server;
  const { headersTimeoutMs, idleTimeoutMs } = settings;
  const headMs = Math.ceil(typicalMs * (0.2 + draw()));
  switch (fault) {
    case 'hang':
      return silence(headersTimeoutMs, 'headersTimeout');
    case 'crash':
      return silence(0, 'reset');
    case 'empty':
      return silence(headMs, oneOf(draw, ['closed', 'reset']));
    case 'late': {
      const lateMs = headMs * between(draw, 5, 100);
      if (lateMs >= headersTimeoutMs) return silence(headersTimeoutMs, 'headersTimeout');
      return wholeAnswer(server, asked, { status: 200, afterMs: lateMs });
    }
    case 'half': {
      const reason = oneOf(draw, ['closed', 'reset', 'idleTimeout']);
      const afterMs = reason === 'idleTimeout' ? idleTimeoutMs : headMs;
      return { ...nothing, head: { status: 200, afterMs: headMs }, breaks: { afterMs, reason } };
    }
    case 'overload': {
      const status = oneOf(draw, [429, 502, 503]);
      const retryAfterMs =
        status === 502 || chance(draw, 0.4) ? {} : { retryAfterMs: spread(draw, 1, 60) * 1000 };
      return refusal(server, { status, afterMs: between(draw, 0, 5), ...retryAfterMs });
    }
    case 'error':
      if (chance(draw, 0.3)) return silence(headMs, 'badResponse');
      return refusal(server, { status: 500, afterMs: between(draw, 0, 5) });
    default:
      return wholeAnswer(server, asked, { status: chance(draw, 0.03) ? 404 : 200, afterMs: headMs });
  }
}

const nothing: Answer = {
  head: undefined,
  endsAfterMs: undefined,
  breaks: undefined,
  isWhole: false,
  closes: 'not',
};

function silence(afterMs: number, reason: UpstreamFailure): Answer {
  return { ...nothing, breaks: { afterMs, reason } };
}

function refusal({ draw }: Server, head: NonNullable<Answer['head']>): Answer {
  return { ...nothing, head, endsAfterMs: 0, isWhole: true, closes: chance(draw, 0.1) ? 'after' : 'not' };
}

function wholeAnswer(
  server: Server,
  { isTunnel, slowness }: Asked,
  head: NonNullable<Answer['head']>,
): Answer {
  const { draw, typicalMs, fault } = server;
  if (isTunnel) {
    return {
      ...nothing,
      head: { ...head, status: 101 },
      endsAfterMs: spread(draw, 100, 3_600_000),
      closes: 'after',
    };
  }
  const isWhole = chance(draw, 0.3);
  const bodyMs = isWhole ? 0 : Math.ceil(typicalMs * draw() * slowness);
  const closes =
    fault === 'closeBehind' ? oneOf(draw, ['before', 'after']) : chance(draw, 0.02) ? 'after' : 'not';
  return { ...nothing, head, endsAfterMs: bodyMs, isWhole, closes };
}
