/**
 * Whether a client got what its backend's bytes allow: a whole answer as it was, half an answer that cannot be taken for a
 * whole one, a refusal by the gateway, or the echo of another attempt. Nothing from behind the end of an answer.
 */
import type { Prepared } from './backend.ts';
import { echoOf } from './echo.ts';
import { valuesOf } from './http/fields.ts';
import type { RequestRead } from './http/requests.ts';
import { type ResponseRead, readResponse } from './http/responses.ts';
import { type Evidence, isOfBackend, judgeBytes, readAnswers } from './judge.ts';
import { POISON } from './markers.ts';

/** @returns what is wrong, as sentences; nothing, if all is well */
export function judgeAnswer(evidence: Evidence, prepared: Prepared): string[] {
  const { address, stream, told, seen } = evidence;
  const [request] = stream.requests;
  if (request === undefined) throw new RangeError('the case asks nothing');
  const { answers, rest, why } = readAnswers(told.text, stream.requests, told.isClosed && !told.wasReset);
  const { meant } = readMeant(prepared, request);
  // Damage may leave in chunks what is another marker once they are put together.
  const text = prepared.pieces.join('');
  const wrong = judgeBytes(evidence, `${text}${meant?.body ?? ''}${withoutChunkSizes(text)}`);
  const [answer, ...more] = answers;
  if (more.length > 0) wrong.push(`${answers.length} answers to one request`);
  if (why.startsWith('malformed')) wrong.push(`the client was given ${why}, in ${JSON.stringify(rest)}`);
  if (!told.isClosed) wrong.push('the connection is still open though the client has closed its side');
  if (seen.some((each) => echoOf(each, address) !== echoOf(request, address))) {
    wrong.push('a backend was asked for what the client had not framed');
  }
  return [...wrong, ...judgeContent(answer, request, prepared, evidence)];
}

/** What is left of a body in chunks, whether or not it is whole. */
function withoutChunkSizes(text: string): string {
  return text.replace(/\r\n[\da-f]+(?:;[^\r\n]*)?\r\n/gi, '');
}

function judgeContent(
  answer: ResponseRead | undefined,
  request: RequestRead,
  prepared: Prepared,
  { address, told }: Evidence,
): string[] {
  const { meant, isClear } = readMeant(prepared, request);
  const isDue = meant !== undefined && isClear && prepared.ending !== 'RST';
  if (answer === undefined) return isDue && !told.gaveUp ? ['a whole answer was not passed on'] : [];
  if (!isOfBackend(answer)) {
    if (answer.status < 400) return [`the gateway made up an answer with ${answer.status}`];
    return isDue ? [`a whole answer was refused: ${answer.body}`] : [];
  }
  if (answer.body === (request.method === 'HEAD' ? '' : echoOf(request, address))) return [];
  const what = JSON.stringify(answer.body);
  if (meant === undefined) {
    return tellsOfItsEnd(answer) ? [] : [`what is no whole answer was passed on as one: ${what}`];
  }
  const isSame = answer.status === meant.status && answer.body === meant.body;
  return isSame ? [] : [`${JSON.stringify(meant.body)} (${meant.status}) became ${what} (${answer.status})`];
}

type Meant = {
  /** The answer the backend gave; undefined if it is none, or not whole. */
  readonly meant: ResponseRead | undefined;
  /** Whether it has to be passed on, since it is in order and no reader could say otherwise. */
  readonly isClear: boolean;
};

function readMeant({ pieces, ending }: Prepared, { method }: RequestRead): Meant {
  const text = pieces.join('');
  const options = { bodiless: method === 'HEAD', isClosed: ending === 'FIN' };
  const meant = readResponse(text, 0, { ...options, isLenient: true });
  if ('fault' in meant) return { meant: undefined, isClear: false };
  const isInOrder = 'ok' in readResponse(text, 0, options);
  return {
    meant: meant.ok,
    isClear: isInOrder && isWithinLimits(meant.ok, text) && !BAD_EXTENSION.test(text),
  };
}

/** Longer heads, chunk extensions and trailers may be refused. */
function isWithinLimits({ fields, trailers }: ResponseRead, text: string): boolean {
  const lengths = [...fields, ...trailers].map(([name, value]) => name.length + value.length);
  const isShort = lengths.reduce((sum, length) => sum + length, text.indexOf('\r\n')) < 8_000;
  return isShort && !/^[\da-f]+;[^\r\n]{8000}/im.test(text);
}

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const QUOTED = '"(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*"';
/** An extension that is none, which may be read over or refused: its name is no token, or a quote is not around its value. */
const BAD_EXTENSION = new RegExp(
  `^[\\da-f]+(?!(?:[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?)*\\r?$)[\\t ]*;`,
  'im',
);

/** An event stream that was broken off ends with an error event. */
function tellsOfItsEnd({ fields, body }: ResponseRead): boolean {
  const isStream = valuesOf(fields, 'content-type').some((type) =>
    type.toLowerCase().startsWith('text/event-stream'),
  );
  return isStream && /\n\ndata: \{"error":.*\}\n\n$/.test(body) && !body.includes(POISON);
}
