/**
 * The model's endpoints: which path answers what, and the life of a generation (its turn in the line, the wait for
 * the first token, its tokens).
 */
import { blobPieces } from './blob.ts';
import type { RequestBody } from './body.ts';
import { chatCompletion, type Format, type Generation, ollamaChat, textCompletion } from './completions.ts';
import { embeddingsBody } from './embeddings.ts';
import { type Exchange, sendBody, sendError, sendHead, sendWhole } from './reply.ts';
import type { Slots } from './slots.ts';
import { pause } from './stream.ts';
import type { Tokens } from './tokens.ts';

/** What the endpoints share within one mock. */
export type Model = { readonly slots: Slots; readonly tokens: (count: number) => Tokens };

const MODEL_NAME = 'mock-model';

/** Answers one request whose body has arrived; resolves when the answer is over or has been handed to the socket. */
export async function answer(exchange: Exchange, body: RequestBody, model: Model): Promise<void> {
  const { request } = exchange;
  const path = pathOf(request.url ?? '');
  if (path === '/v1/blob' || request.headers['x-mock-body-bytes'] !== undefined) return sendBlob(exchange);
  switch (`${request.method === 'HEAD' ? 'GET' : request.method} ${path}`) {
    case 'GET /v1/models':
      return sendWhole(exchange, 200, modelsBody(exchange.name));
    case 'GET /api/tags':
      return sendWhole(exchange, 200, tagsBody());
    case 'POST /v1/chat/completions':
      return generate(exchange, body, model, chatCompletion);
    case 'POST /v1/completions':
      return generate(exchange, body, model, textCompletion);
    case 'POST /api/chat':
      return generate(exchange, body, model, ollamaChat);
    case 'POST /v1/embeddings': {
      const fields = await fieldsOf(exchange, body);
      if (fields) await sendWhole(exchange, 200, embeddingsBody(fields, modelOf(fields)));
      return;
    }
    default:
      return sendError(exchange, 404, 'not_found', `no such endpoint: ${request.method} ${path}`);
  }
}

/** The path of a request target, without its query. */
export function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}

async function generate(exchange: Exchange, body: RequestBody, model: Model, format: Format): Promise<void> {
  const fields = await fieldsOf(exchange, body);
  if (!fields) return;
  const { response, script } = exchange;
  const turn = model.slots.enter(response);
  if (turn !== true && !(await turn)) return;
  try {
    const generation = generationOf(exchange, fields, body.bytes, model);
    const streamed = typeof fields.stream === 'boolean' ? fields.stream : format.streamsByDefault;
    if (streamed) {
      if (script.earlyHeaders) {
        sendHead(exchange, format.streamType, null);
        response.flushHeaders();
      }
      if (!(await elapse(exchange, script.firstTokenDelayMs))) return;
      sendHead(exchange, format.streamType, null);
      await sendBody(exchange, format.pieces(generation), script.tokenGapMs > 0 ? script.tokenGapMs : null);
    } else {
      const gaps = Math.max(0, generation.tokens.quoted.length - 1);
      if (!(await elapse(exchange, script.firstTokenDelayMs + gaps * script.tokenGapMs))) return;
      await sendWhole(exchange, 200, format.whole(generation));
    }
  } finally {
    model.slots.leave();
  }
}

function elapse(exchange: Exchange, waitMs: number): boolean | Promise<boolean> {
  return waitMs === 0 ? !exchange.response.destroyed : pause(exchange.response, waitMs);
}

function generationOf(
  exchange: Exchange,
  fields: Readonly<Record<string, unknown>>,
  bodyBytes: number,
  model: Model,
): Generation {
  const asked = fields.max_completion_tokens ?? fields.max_tokens;
  const { tokenCount } = exchange.script;
  const limited = typeof asked === 'number' && asked >= 0 && asked < tokenCount;
  const options = fields.stream_options;
  return {
    id: `${exchange.name}-${exchange.record?.number ?? 0}`,
    createdAtMs: Date.now(),
    model: modelOf(fields),
    system: exchange.name,
    tokens: model.tokens(limited ? Math.floor(asked) : tokenCount),
    finishReason: limited ? 'length' : 'stop',
    // Four bytes to a token is the usual rule of thumb; all that matters is that it is repeatable.
    promptTokens: Math.ceil(bodyBytes / 4),
    includeUsage: isObject(options) && options.include_usage === true,
  };
}

async function sendBlob(exchange: Exchange): Promise<void> {
  const { bodyBytes, chunked } = exchange.script;
  sendHead(exchange, 'application/octet-stream', chunked ? null : bodyBytes);
  await sendBody(exchange, blobPieces(bodyBytes), null);
}

/** The parsed JSON object of a body; answers 400 or 413 itself and resolves to null when there is none. */
async function fieldsOf(exchange: Exchange, body: RequestBody): Promise<Record<string, unknown> | null> {
  if (body.tooLarge) {
    await sendError(exchange, 413, 'body_too_large', `a body of ${body.bytes} bytes is too large`);
    return null;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.content.toString('utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await sendError(exchange, 400, 'invalid_json', `the body is not JSON: ${reason}`);
    return null;
  }
  if (isObject(parsed)) return parsed;
  await sendError(exchange, 400, 'invalid_body', 'the body must be a JSON object');
  return null;
}

function modelOf(fields: Readonly<Record<string, unknown>>): string {
  return typeof fields.model === 'string' ? fields.model : MODEL_NAME;
}

function modelsBody(owner: string): string {
  return JSON.stringify({
    object: 'list',
    data: [{ id: MODEL_NAME, object: 'model', created: 0, owned_by: owner }],
  });
}

function tagsBody(): string {
  return JSON.stringify({ models: [{ name: MODEL_NAME, model: MODEL_NAME, size: 0, details: {} }] });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
