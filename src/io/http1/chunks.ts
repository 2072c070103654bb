/** Reads a body in chunks (RFC 9112 §7.1), which may arrive cut anywhere. */
import { BadAnswer } from './bad-answer.ts';
import { parseFieldLines } from './fields.ts';

const MAX_SIZE_LINE_BYTES = 16 * 1024;
const MAX_TRAILER_BYTES = 16 * 1024;

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';
/** What may stand behind a size (RFC 9112 §7.1.1). It is read over. */
const EXTENSIONS = new RegExp(`^(?:[\\t ]*;[\\t ]*${TOKEN}(?:[\\t ]*=[\\t ]*(?:${TOKEN}|${QUOTED}))?)*$`);

const LINE_BREAK = '\r\n';
const LF = 0x0a;
const CR = 0x0d;

/** What the next byte belongs to. */
type Part = 'size' | 'extensions' | 'sizeEnd' | 'data' | 'dataEnd' | 'dataEndLf' | 'trailers';

/** Reads one body. Where the content of its chunks stands in a piece, it says after each. */
export class ChunkReader {
  /** What stood behind the last chunk, once all has been read. */
  trailers: readonly string[] = [];
  /** Where in the piece that was read last the content of its chunks stands. */
  contentFrom = 0;
  contentTo = 0;
  private part: Part = 'size';
  private size = 0;
  private hasSize = false;
  private lineBytes = 0;
  private extensions = '';
  /** How much of the chunk is still to come. */
  private bytesLeft = 0;
  private trailerText = '';

  /**
   * Reads `piece` from `at` on, and writes to it: the content of all chunks in it is moved together, to be passed on as one.
   *
   * @returns where the body ended, or -1 if there is more to come
   * @throws BadAnswer for what are no chunks
   */
  read(piece: Buffer, at: number): number {
    this.contentFrom = at;
    this.contentTo = at;
    let index = at;
    while (index < piece.length) {
      if (this.part === 'data') {
        index = this.readData(piece, index);
      } else if (this.part === 'trailers') {
        return this.readTrailers(piece, index);
      } else {
        this.readByte(piece[index] ?? 0);
        index += 1;
      }
    }
    return -1;
  }

  private readData(piece: Buffer, at: number): number {
    const end = Math.min(piece.length, at + this.bytesLeft);
    this.bytesLeft -= end - at;
    if (this.bytesLeft === 0) this.part = 'dataEnd';
    if (this.contentTo === this.contentFrom) {
      this.contentFrom = at;
      this.contentTo = end;
    } else {
      piece.copyWithin(this.contentTo, at, end);
      this.contentTo += end - at;
    }
    return end;
  }

  private readByte(byte: number): void {
    switch (this.part) {
      case 'size':
        this.readSize(byte);
        break;
      case 'extensions':
        if (byte === CR) this.endExtensions();
        else this.keepOfExtensions(byte);
        break;
      case 'sizeEnd':
        if (byte !== LF) throw new BadAnswer('chunkSize');
        this.begin();
        break;
      case 'dataEnd':
        if (byte !== CR) throw new BadAnswer('chunkEnd');
        this.part = 'dataEndLf';
        break;
      default:
        if (byte !== LF) throw new BadAnswer('chunkEnd');
        this.part = 'size';
    }
  }

  private readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      this.size = this.size * 16 + digit;
      this.hasSize = true;
      this.lineBytes += 1;
      // Zeros may stand in front of it, but not without end.
      if (!Number.isSafeInteger(this.size) || this.lineBytes > MAX_SIZE_LINE_BYTES) {
        throw new BadAnswer('chunkSize');
      }
      return;
    }
    if (!this.hasSize) throw new BadAnswer('chunkSize');
    if (byte === CR) {
      this.part = 'sizeEnd';
    } else {
      this.part = 'extensions';
      this.keepOfExtensions(byte);
    }
  }

  private keepOfExtensions(byte: number): void {
    if (byte === LF) throw new BadAnswer('chunkSize');
    this.extensions += String.fromCharCode(byte);
    if (this.extensions.length > MAX_SIZE_LINE_BYTES) throw new BadAnswer('chunkSize');
  }

  private endExtensions(): void {
    if (!EXTENSIONS.test(this.extensions)) throw new BadAnswer('chunkSize');
    this.extensions = '';
    this.part = 'sizeEnd';
  }

  private begin(): void {
    this.bytesLeft = this.size;
    this.part = this.size === 0 ? 'trailers' : 'data';
    this.size = 0;
    this.hasSize = false;
    this.lineBytes = 0;
  }

  private readTrailers(piece: Buffer, at: number): number {
    const before = this.trailerText.length;
    // No further than the longest there may be, since whatever comes behind an answer is none of it.
    this.trailerText += piece.toString('latin1', at, Math.min(piece.length, at + MAX_TRAILER_BYTES));
    const end = endOfTrailers(this.trailerText, Math.max(0, before - 3));
    if (end !== -1) {
      this.trailers = parseFieldLines(this.trailerText.slice(0, end), 0);
      return at + end + LINE_BREAK.length - before;
    }
    if (this.trailerText.length >= MAX_TRAILER_BYTES) throw new BadAnswer('trailersTooLong');
    return -1;
  }
}

/** @returns where the empty line stands that ends them, or -1. @param from where there may be one at the earliest */
function endOfTrailers(text: string, from: number): number {
  if (text.startsWith(LINE_BREAK)) return 0;
  const lastLine = text.indexOf(LINE_BREAK + LINE_BREAK, from);
  return lastLine === -1 ? -1 : lastLine + LINE_BREAK.length;
}

/** @returns -1 for what is none */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
