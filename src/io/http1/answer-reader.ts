/** Reads the answer to one request from the bytes of a connection, in pieces that are cut anywhere. */
import type { AnswerFault } from '../../actors/events.ts';
import type { RawHeaders } from '../../streams/ports.ts';
import { beginsAsHead, type Framing, framingOf, parseAnswerHead, type ReceivedHead } from './answer-head.ts';
import { BadAnswer } from './bad-answer.ts';
import { ChunkReader } from './chunks.ts';

/** Hears of an answer what there is to it, in order. */
export type AnswerListener = {
  /** An answer before the final one. */
  interim(head: ReceivedHead): void;
  /** From here on the connection speaks another protocol. @param rest what came behind the head, borrowed */
  switched(head: ReceivedHead, rest: Buffer): void;
  /** The head of the final answer. */
  started(head: ReceivedHead): void;
  /** @param content borrowed: it is overwritten once this has returned */
  data(content: Buffer): void;
  /** @param isSurplus whether there were bytes behind the answer, which belong to nothing */
  end(trailers: RawHeaders, isSurplus: boolean): void;
};

/** What is known of the request that is answered. */
type Asked = { readonly isHead: boolean; readonly mayUpgrade: boolean };

const HEAD_END = '\r\n\r\n';
const MAX_HEAD_BYTES = 16 * 1024;
const CONTINUE = 100;
const SWITCHING = 101;
const NO_TRAILERS: RawHeaders = [];

/** Reads one answer. What it hears of, it tells its listener at once, before `read` returns. */
export class AnswerReader {
  private readonly asked: Asked;
  private readonly listener: AnswerListener;
  /** A head, as far as it has come. */
  private partialHead: Buffer | undefined = undefined;
  private framing: Framing | undefined = undefined;
  /** How much of a body is still to come whose length is known. */
  private bytesLeft = 0;
  private chunks: ChunkReader | undefined = undefined;
  private isOver = false;
  /** Whether any byte of an answer has come. */
  hasBegun = false;

  constructor(asked: Asked, listener: AnswerListener) {
    this.asked = asked;
    this.listener = listener;
  }

  /**
   * @param piece borrowed, and written to
   * @throws BadAnswer for what is no valid answer, or none that may be passed on
   */
  read(piece: Buffer): void {
    let at = 0;
    let from = piece;
    this.hasBegun = true;
    if (this.framing === undefined) {
      if (this.partialHead !== undefined) from = Buffer.concat([this.partialHead, piece]);
      at = this.readHeads(from);
      if (this.framing === undefined) return;
    }
    this.readBody(from, at);
  }

  /** The backend has closed its side. @returns whether the answer is whole thereby */
  close(): boolean {
    if (this.framing !== 'close') return false;
    this.finish(NO_TRAILERS, false);
    return true;
  }

  /** What is wrong with an answer of whose head no more comes. */
  faultOfHalfHead(): AnswerFault {
    return this.partialHead === undefined || beginsAsHead(this.partialHead) ? 'headCut' : 'statusLine';
  }

  /** @returns where the body begins, if the head of the final answer has come */
  private readHeads(bytes: Buffer): number {
    let at = 0;
    while (!this.isOver && this.framing === undefined) {
      const searchFrom = at === 0 ? Math.max(0, (this.partialHead?.length ?? 0) - HEAD_END.length) : at;
      const end = bytes.indexOf(HEAD_END, searchFrom, 'latin1');
      const length = (end === -1 ? bytes.length : end) - at;
      if (length > MAX_HEAD_BYTES) {
        throw new BadAnswer(beginsAsHead(bytes.subarray(at, at + length)) ? 'headTooLong' : 'statusLine');
      }
      if (end === -1) {
        this.partialHead = Buffer.from(bytes.subarray(at));
        return at;
      }
      const text = bytes.toString('latin1', at, end + 2);
      at = end + HEAD_END.length;
      this.readHead(text, bytes, at);
    }
    this.partialHead = undefined;
    return at;
  }

  private readHead(text: string, bytes: Buffer, at: number): void {
    const head = parseAnswerHead(text);
    const { status } = head;
    if (status === SWITCHING && this.asked.mayUpgrade) {
      this.isOver = true;
      this.listener.switched(head, bytes.subarray(at));
    } else if (status === SWITCHING) {
      throw new BadAnswer('protocol');
    } else if (status >= 200) {
      this.framing = framingOf(head, this.asked.isHead);
      if (this.framing === 'chunks') this.chunks = new ChunkReader();
      else if (this.framing !== 'close') this.bytesLeft = this.framing;
      this.listener.started(head);
    } else if (status !== CONTINUE) {
      this.listener.interim(head);
    }
  }

  private readBody(piece: Buffer, at: number): void {
    if (this.chunks !== undefined) this.readChunks(piece, at, this.chunks);
    else if (this.framing === 'close') this.pass(piece, at, piece.length);
    else this.readRest(piece, at);
  }

  private readChunks(piece: Buffer, at: number, chunks: ChunkReader): void {
    let end = -1;
    try {
      end = chunks.read(piece, at);
    } finally {
      // What came before a fault is part of the answer still.
      this.pass(piece, chunks.contentFrom, chunks.contentTo);
    }
    if (end !== -1) this.finish(chunks.trailers, end < piece.length);
  }

  private readRest(piece: Buffer, at: number): void {
    const end = Math.min(piece.length, at + this.bytesLeft);
    this.bytesLeft -= end - at;
    this.pass(piece, at, end);
    if (this.bytesLeft === 0) this.finish(NO_TRAILERS, end < piece.length);
  }

  private pass(piece: Buffer, from: number, to: number): void {
    if (to > from) this.listener.data(piece.subarray(from, to));
  }

  private finish(trailers: RawHeaders, isSurplus: boolean): void {
    this.isOver = true;
    this.listener.end(trailers, isSurplus);
  }
}
