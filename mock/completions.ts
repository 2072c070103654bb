/**
 * The shapes of a generation on the wire: OpenAI's chat and text completions and Ollama's chat, whole and streamed.
 * Chunks are put together as text, since a mock that serializes an object per token would be what a benchmark measures.
 */
import type { Tokens } from './tokens.ts';

export type Generation = {
  /** Unique within the mock, without the prefix of the format. */
  readonly id: string;
  readonly createdAtMs: number;
  readonly model: string;
  readonly system: string;
  readonly tokens: Tokens;
  readonly finishReason: 'stop' | 'length';
  readonly promptTokens: number;
  /** `stream_options.include_usage`. */
  readonly includeUsage: boolean;
};

export type Format = {
  readonly streamType: string;
  readonly streamsByDefault: boolean;
  /** The unstreamed body. */
  whole(generation: Generation): string;
  /** The streamed body: piece i carries token i, and one last piece carries all that follows the tokens. */
  pieces(generation: Generation): Generator<string>;
};

const SSE = 'text/event-stream; charset=utf-8';
const DONE = 'data: [DONE]\n\n';

export const chatCompletion: Format = {
  streamType: SSE,
  streamsByDefault: false,
  whole(generation) {
    const message = { role: 'assistant', content: generation.tokens.text, refusal: null };
    const choice = { index: 0, message, logprobs: null, finish_reason: generation.finishReason };
    return JSON.stringify({
      ...opening(generation, 'chatcmpl', 'chat.completion'),
      choices: [choice],
      usage: usageOf(generation),
    });
  },
  *pieces(generation) {
    const start = eventStart(opening(generation, 'chatcmpl', 'chat.completion.chunk'));
    const end = eventEnd(generation);
    const chunk = (delta: string, finish: string) =>
      `${start}[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]${end}`;
    // The role travels with the first token, as a server's first write does, so that piece i is still token i.
    let lead = chunk('{"role":"assistant","content":"","refusal":null}', 'null');
    for (const token of generation.tokens.quoted) {
      yield lead + chunk(`{"content":${token}}`, 'null');
      lead = '';
    }
    yield `${lead}${chunk('{}', `"${generation.finishReason}"`)}${usageEvent(start, generation)}${DONE}`;
  },
};

export const textCompletion: Format = {
  streamType: SSE,
  streamsByDefault: false,
  whole(generation) {
    const choice = {
      index: 0,
      text: generation.tokens.text,
      logprobs: null,
      finish_reason: generation.finishReason,
    };
    return JSON.stringify({
      ...opening(generation, 'cmpl', 'text_completion'),
      choices: [choice],
      usage: usageOf(generation),
    });
  },
  *pieces(generation) {
    const start = eventStart(opening(generation, 'cmpl', 'text_completion'));
    const end = eventEnd(generation);
    const chunk = (text: string, finish: string) =>
      `${start}[{"index":0,"text":${text},"logprobs":null,"finish_reason":${finish}}]${end}`;
    for (const token of generation.tokens.quoted) yield chunk(token, 'null');
    yield `${chunk('""', `"${generation.finishReason}"`)}${usageEvent(start, generation)}${DONE}`;
  },
};

export const ollamaChat: Format = {
  streamType: 'application/x-ndjson',
  streamsByDefault: true,
  whole(generation) {
    const message = { role: 'assistant', content: generation.tokens.text };
    return JSON.stringify({ ...ollamaOpening(generation), message, ...ollamaEnding(generation) });
  },
  *pieces(generation) {
    const opened = JSON.stringify(ollamaOpening(generation)).slice(0, -1);
    for (const token of generation.tokens.quoted) {
      yield `${opened},"message":{"role":"assistant","content":${token}},"done":false}\n`;
    }
    const ended = JSON.stringify(ollamaEnding(generation)).slice(1);
    yield `${opened},"message":{"role":"assistant","content":""},${ended}\n`;
  },
};

function opening(generation: Generation, prefix: string, object: string) {
  return {
    id: `${prefix}-${generation.id}`,
    object,
    created: Math.floor(generation.createdAtMs / 1000),
    model: generation.model,
    system_fingerprint: generation.system,
  };
}

/** The start of an SSE event, up to the value of `choices`. */
function eventStart(fields: object): string {
  return `data: ${JSON.stringify(fields).slice(0, -1)},"choices":`;
}

/** With `include_usage` every chunk but the last carries a null usage, says OpenAI's reference. */
function eventEnd(generation: Generation): string {
  return generation.includeUsage ? ',"usage":null}\n\n' : '}\n\n';
}

function usageEvent(start: string, generation: Generation): string {
  return generation.includeUsage ? `${start}[],"usage":${JSON.stringify(usageOf(generation))}}\n\n` : '';
}

function usageOf(generation: Generation) {
  const completionTokens = generation.tokens.quoted.length;
  return {
    prompt_tokens: generation.promptTokens,
    completion_tokens: completionTokens,
    total_tokens: generation.promptTokens + completionTokens,
  };
}

function ollamaOpening(generation: Generation) {
  return { model: generation.model, created_at: new Date(generation.createdAtMs).toISOString() };
}

function ollamaEnding(generation: Generation) {
  return {
    done: true,
    done_reason: generation.finishReason,
    prompt_eval_count: generation.promptTokens,
    eval_count: generation.tokens.quoted.length,
  };
}
