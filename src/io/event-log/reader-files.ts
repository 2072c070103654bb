/**
 * The bytes of a log: which files a path stands for, and each one's content in pieces, decompressed. Plain files are
 * read into two buffers in turn, so that memory stays flat and the disk works while a piece is looked at.
 */
import { createReadStream, existsSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { listSegments, parseSegmentName, type SegmentName } from './segments.ts';

const CHUNK_BYTES = 64 * 1024;

/** Nothing of the log can be read at all: no damage, but the wrong path or the wrong Reprise. */
export class LogRefusedError extends Error {
  override readonly name = 'LogRefusedError';
  readonly source = 'config';
  readonly retryable = false;
  readonly code:
    | 'LOG_NOT_FOUND'
    | 'LOG_EMPTY'
    | 'LOG_UNREADABLE'
    | 'LOG_VERSION_UNKNOWN'
    | 'LOG_OUT_OF_RANGE'
    | 'LOG_TOO_LONG';

  constructor(code: LogRefusedError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A file that is there stops giving its content: the disk, or a compressed stream that makes no sense. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
}

export type SegmentFile = Omit<SegmentName, 'seq'> & {
  readonly path: string;
  /** What the file name says; undefined for a single file with a name of its own. */
  readonly seq: number | undefined;
  /** Bytes on disk. */
  readonly size: number;
};

/**
 * @param path a folder, or one segment file
 * @returns the segments, oldest first
 * @throws LogRefusedError if there is nothing there to read
 */
export async function findSegments(path: string): Promise<SegmentFile[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [await describeFile(path)];
    const names = await listSegments(path);
    if (names.length === 0) {
      throw new LogRefusedError('LOG_EMPTY', `no event log in ${path}: it has no file events-*.ndjson`);
    }
    return await Promise.all(names.map(({ file }) => describeFile(join(path, file))));
  } catch (error) {
    if (error instanceof LogRefusedError || !(error instanceof Error)) throw error;
    if ('code' in error && error.code === 'ENOENT') {
      throw new LogRefusedError('LOG_NOT_FOUND', `no event log at ${path}: there is no such file or folder`);
    }
    throw new LogRefusedError('LOG_UNREADABLE', `cannot read ${path}: ${error.message}`, { cause: error });
  }
}

async function describeFile(path: string): Promise<SegmentFile> {
  const file = basename(path);
  const { size } = await stat(path);
  const known = parseSegmentName(file);
  if (known !== undefined) return { ...known, path, size };
  const compression = file.endsWith('.zst') ? 'zstd' : file.endsWith('.gz') ? 'gzip' : 'none';
  return { file, name: file, compression, seq: undefined, path, size };
}

/** Enough of a segment to read it. */
export type Located = Pick<SegmentFile, 'path' | 'compression'>;

/**
 * The content of a segment, uncompressed. A chunk may be looked at only until the next one is asked for.
 *
 * @param onRead told how many bytes were taken from the disk
 * @param from the first byte that is wanted, of the uncompressed content
 * @throws ReadError if reading or decompressing fails
 */
export async function* readChunks(
  file: Located,
  onRead: (bytes: number) => void,
  from = 0,
): AsyncGenerator<Buffer> {
  const found = locate(file);
  const isPlain = found.compression === 'none';
  const chunks = isPlain
    ? readPlain(found.path, onRead, from)
    : skipBytes(readCompressed(found, onRead), from);
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch((error: unknown) => {
        throw new ReadError(error instanceof Error ? error.message : String(error), { cause: error });
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    await chunks.return(undefined);
  }
}

async function* skipBytes(chunks: AsyncGenerator<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** The gateway may have compressed the segment since the folder was listed. */
function locate({ path, compression }: Located): Located {
  if (compression !== 'none' || existsSync(path)) return { path, compression };
  const packed: readonly Located[] = [
    { path: `${path}.zst`, compression: 'zstd' },
    { path: `${path}.gz`, compression: 'gzip' },
  ];
  return packed.find((each) => existsSync(each.path)) ?? { path, compression };
}

async function* readPlain(
  path: string,
  onRead: (bytes: number) => void,
  from: number,
): AsyncGenerator<Buffer> {
  const handle = await open(path);
  let filling = Buffer.allocUnsafe(CHUNK_BYTES);
  let other = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = from;
  let reading = handle.read(filling, 0, CHUNK_BYTES, position);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      const full = filling.subarray(0, bytesRead);
      [filling, other] = [other, filling];
      position += bytesRead;
      reading = handle.read(filling, 0, CHUNK_BYTES, position);
      onRead(bytesRead);
      yield full;
    }
  } finally {
    // The buffer must not be written to after the file is closed, and nobody else would hear of the failure.
    await reading.catch(() => undefined);
    await handle.close();
  }
}

async function* readCompressed(
  { path, compression }: Located,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const compressed = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const options = { chunkSize: CHUNK_BYTES };
  const plain: Readable = compressed.pipe(
    compression === 'zstd' ? createZstdDecompress(options) : createGunzip(options),
  );
  // `pipe` does not carry errors over, and the reader below listens to the far end only.
  compressed.on('error', (error) => plain.destroy(error));
  compressed.on('data', (chunk) => onRead(chunk.length));
  try {
    yield* plain;
  } finally {
    compressed.destroy();
    plain.destroy();
  }
}
