/**
 * What is not the model's: `GET /health`, scripted on its own, and `/mock`, by which a running mock is commanded.
 * Neither meets the scripted faults, so a mock in trouble can always be talked to on an open socket.
 */
import { readBody } from './body.ts';
import { beSilent, type Exchange, sendError, sendWhole } from './reply.ts';
import { type MockScript, parseScript } from './script.ts';
import { pause } from './stream.ts';

/** Answers a probe as `health` and `healthDelayMs` say. */
export async function answerHealth(exchange: Exchange): Promise<void> {
  const { script, recorder, response } = exchange;
  recorder.probed();
  if (script.healthDelayMs > 0 && !(await pause(response, script.healthDelayMs))) return;
  const { health } = script;
  if (health === 'hang' || health === 'reset') return beSilent(exchange, { kind: health });
  const status = health === 'ok' ? 200 : health;
  return sendWhole(exchange, status, JSON.stringify({ status: status < 300 ? 'ok' : 'error' }));
}

export type Commands = {
  readonly set: (changes: Partial<MockScript>) => void;
  /** A JSON-safe picture of the mock. */
  readonly state: () => object;
};

/** Answers `GET /mock` (the mock's state) and `POST /mock/script` (changes its script). */
export async function answerControl(exchange: Exchange, path: string, commands: Commands): Promise<void> {
  const { request } = exchange;
  const called = `${request.method} ${path}`;
  if (called === 'POST /mock/script') {
    const body = await readBody(request);
    if (!body) return;
    const check = parseScript(body.content.toString('utf8'));
    if (!check.ok) return sendError(exchange, 400, 'invalid_script', check.problems.join('; '));
    commands.set(check.changes);
  } else if (called !== 'GET /mock') {
    return sendError(exchange, 404, 'not_found', `no such command: ${called}`);
  }
  return sendWhole(exchange, 200, JSON.stringify(commands.state()));
}
