/**
 * A client that behaves well and never stops asking, over one connection as long as that holds, while others attack.
 * Every one of its requests has to be answered, with its own echo.
 */
import { once } from 'node:events';
import net from 'node:net';
import { echoOf } from './echo.ts';
import { readRequests } from './http/requests.ts';
import { isOfBackend, readAnswers } from './judge.ts';
import { addressOf, markerOf, markersIn, POISON } from './markers.ts';
import { drawFor } from './random.ts';
import { chunked } from './requests/valid.ts';

export type Bystander = {
  /** How many requests have been answered. */
  readonly answered: number;
  /** Lets the answer under way end, and leaves. */
  leave(): Promise<void>;
};

export type BystanderOptions = {
  readonly port: number;
  /** From 0; each has an address of its own. */
  readonly number: number;
  readonly seed: number;
  complain(what: string): void;
};

const ANSWER_WITHIN_MS = 15_000;
/** Above all addresses of cases. */
const FIRST_NUMBER = 11_000_000;
/** A pause now and then, so that idle connections are among those that are attacked. */
const PAUSE_MS = 2;

export function startBystander({ port, number, seed, complain }: BystanderOptions): Bystander {
  const address = addressOf(FIRST_NUMBER + number);
  const marker = markerOf(seed, `bystander ${number}`);
  const draw = drawFor(seed, 'bystander', number);
  let isLeaving = false;
  let answered = 0;
  let socket: net.Socket | undefined;

  const ask = async (count: number) => {
    const connection = socket ?? (await connect(port, address));
    socket = connection;
    const sent = Array.from({ length: count }, (_, index) => {
      const path = `/v1/${marker}/${answered + index}`;
      if (draw.chance(0.5)) return `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const body = `${marker}${'y'.repeat(draw.int(0, 50))}`;
      return `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(draw, body)}`;
    }).join('');
    const { requests } = readRequests(sent);
    connection.write(sent);
    const text = await receive(connection, (so) => readAnswers(so, requests, false).answers.length >= count);
    const { answers, rest } = readAnswers(text, requests, false);
    const fits = requests.every((request, index) => {
      const answer = answers[index];
      return answer !== undefined && isOfBackend(answer) && answer.body === echoOf(request, address);
    });
    const isForeign = markersIn(text).some((each) => each !== marker) || text.includes(POISON);
    if (!fits || rest !== '' || isForeign) {
      complain(`bystander ${number} asked ${JSON.stringify(sent)} and was given ${JSON.stringify(text)}`);
      socket = undefined;
      connection.destroy();
    }
    answered += count;
    if (draw.chance(0.02)) {
      socket = undefined;
      connection.end();
    }
  };
  const run = async () => {
    while (!isLeaving) {
      await ask(draw.chance(0.1) ? draw.int(2, 3) : 1);
      await new Promise((done) => (draw.chance(0.5) ? setImmediate(done) : setTimeout(done, PAUSE_MS)));
    }
    socket?.end();
  };
  const running = run();
  return {
    get answered() {
      return answered;
    },
    async leave() {
      isLeaving = true;
      await running;
    },
  };
}

async function connect(port: number, localAddress: string): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** @returns what has come when it is enough, the connection is closed, or it takes too long */
function receive(socket: net.Socket, isEnough: (text: string) => boolean): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('close', done);
      resolve(text);
    };
    const onData = (piece: Buffer) => {
      text += piece.toString('latin1');
      if (isEnough(text)) done();
    };
    const timer = setTimeout(done, ANSWER_WITHIN_MS);
    socket.on('data', onData);
    socket.on('close', done);
    if (socket.destroyed) done();
  });
}
