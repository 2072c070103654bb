/**
 * Whether what came of a case may have come of it. A client may be given the echoes of its own requests, in their order,
 * or refusals; a backend may be asked for what the client has framed, once each, and for nothing else.
 */
import type { Told } from './conversation.ts';
import { echoOf } from './echo.ts';
import { listOf, valuesOf } from './http/fields.ts';
import type { RequestRead, Stream } from './http/requests.ts';
import { type ResponseRead, readResponse } from './http/responses.ts';
import { markersIn, POISON } from './markers.ts';

export type Answers = {
  readonly answers: readonly ResponseRead[];
  /** What is behind the last whole answer. */
  readonly rest: string;
  readonly why: string;
};

/** Reads all answers; `requests` tells which of them have no body. */
export function readAnswers(text: string, requests: readonly RequestRead[], isClosed: boolean): Answers {
  const answers: ResponseRead[] = [];
  let at = 0;
  while (at < text.length) {
    const bodiless = requests[answers.length]?.method === 'HEAD';
    const answer = readResponse(text, at, { bodiless, isClosed });
    if ('fault' in answer) return { answers, rest: text.slice(at), why: `${answer.fault}: ${answer.why}` };
    answers.push(answer.ok);
    at = answer.end;
  }
  return { answers, rest: '', why: '' };
}

/** The answer of a backend, not of the gateway itself. */
export function isOfBackend({ fields }: ResponseRead): boolean {
  return valuesOf(fields, 'x-reprise-backend').length > 0;
}

export type Evidence = {
  readonly address: string;
  readonly sent: string;
  readonly stream: Stream;
  readonly told: Told;
  /** What backends were asked for by this client. */
  readonly seen: readonly RequestRead[];
  readonly isValid: boolean;
};

/** @returns what is wrong, as sentences; nothing, if all is well */
export function judgeRequests(evidence: Evidence): string[] {
  return [...judgeBackend(evidence), ...judgeAnswers(evidence), ...judgeBytes(evidence)];
}

/** The admin listener answers in HTTP, or not at all, and asks no backend for anything. */
export function judgeAdmin(evidence: Evidence): string[] {
  const { stream, told, seen } = evidence;
  const { rest, why } = readAnswers(told.text, stream.requests, told.isClosed && !told.wasReset);
  return [
    ...judgeBytes(evidence),
    ...(seen.length > 0 ? ['a backend was asked'] : []),
    ...(why.startsWith('malformed') ? [`the client was given ${why}, in ${JSON.stringify(rest)}`] : []),
    ...(told.isClosed ? [] : ['the connection is still open though the client has closed its side']),
  ];
}

function judgeBackend({ address, stream, seen }: Evidence): string[] {
  const framed = stream.requests.map((request) => echoOf(request, address));
  return seen.flatMap((request) => {
    const echo = echoOf(request, address);
    const index = framed.indexOf(echo);
    if (index === -1)
      return [`a backend was asked for what the client had not framed: ${JSON.stringify(echo)}`];
    framed.splice(index, 1);
    return [];
  });
}

function judgeAnswers({ address, stream, told, isValid }: Evidence): string[] {
  const { requests } = stream;
  const { answers, rest, why } = readAnswers(told.text, requests, told.isClosed && !told.wasReset);
  const wrong = answers.flatMap((answer, index) => {
    const request = requests[index];
    if (request === undefined) {
      const isLast = index === answers.length - 1;
      if (isOfBackend(answer)) return [`answer ${index + 1} of a backend is to no request`];
      if (!isLast || answer.status < 400) return [`answer ${index + 1} (${answer.status}) is to no request`];
      return listOf(answer.fields, 'connection').includes('close')
        ? []
        : [`a refusal of bytes that are no request keeps the connection`];
    }
    if (isOfBackend(answer) && request.method !== 'HEAD' && answer.body !== echoOf(request, address)) {
      return [`answer ${index + 1} is not to request ${index + 1}: ${JSON.stringify(answer.body)}`];
    }
    return isValid && !isOfBackend(answer)
      ? [`request ${index + 1} was refused with ${answer.status}: ${answer.body}`]
      : [];
  });
  if (why.startsWith('malformed')) wrong.push(`the client was given ${why}, in ${JSON.stringify(rest)}`);
  if (answers.length > requests.length + 1)
    wrong.push(`${answers.length} answers to ${requests.length} requests`);
  if (isValid && answers.length !== requests.length) {
    wrong.push(`${answers.length} answers to ${requests.length} requests that are all in order`);
  }
  if (!told.isClosed) wrong.push('the connection is still open though the client has closed its side');
  return wrong;
}

/**
 * @param own what the client may be given besides what it has sent
 * @returns what it was given that is not its own
 */
export function judgeBytes({ sent, told }: Pick<Evidence, 'sent' | 'told'>, own = ''): string[] {
  const foreign = markersIn(told.text).filter((marker) => !sent.includes(marker) && !own.includes(marker));
  const wrong = foreign.map((marker) => `the client was given bytes of another: ${marker}`);
  if (told.text.includes(POISON) && !own.includes(POISON))
    wrong.push('the client was given bytes from behind the end of an answer');
  return wrong;
}
