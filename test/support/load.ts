/** Load from this process: a number of clients, each asking again as soon as it has its answer. */
import http from 'node:http';

export type Outcome =
  | { readonly kind: 'ok'; readonly status: number; readonly backend: string; readonly text: string }
  | { readonly kind: 'failed'; readonly code: string; readonly begun: boolean };

export type LoadOptions = {
  readonly url: string;
  readonly clients: number;
  /** Asked before each request. */
  readonly goOn: () => boolean;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
};

const BODY = { model: 'mock', messages: [{ role: 'user', content: 'hello' }] };

/** Runs until `goOn` says no and every request under way has ended. */
export async function runLoad({
  url,
  clients,
  goOn,
  body = BODY,
  headers = {},
}: LoadOptions): Promise<Outcome[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const outcomes: Outcome[] = [];
  const one = async () => {
    while (goOn()) outcomes.push(await ask(agent, url, JSON.stringify(body), headers));
  };
  await Promise.all(Array.from({ length: clients }, one));
  agent.destroy();
  return outcomes;
}

/** Asks once; never rejects. `begun` says whether an answer had begun when it failed. */
function ask(
  agent: http.Agent,
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let begun = false;
    const fail = (error: NodeJS.ErrnoException) =>
      resolve({ kind: 'failed', code: error.code ?? error.message, begun });
    const request = http.request(`${url}/v1/chat/completions`, {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
    });
    request.on('error', fail);
    request.on('response', (response) => {
      begun = true;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('error', fail);
      response.on('end', () => {
        const backend = String(response.headers['x-reprise-backend'] ?? '');
        resolve({ kind: 'ok', status: response.statusCode ?? 0, backend, text });
      });
    });
    request.end(body);
  });
}

/** The outcomes that are not a 200, for messages. */
export function troubles(outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter((outcome) => outcome.kind === 'failed' || outcome.status !== 200);
}
