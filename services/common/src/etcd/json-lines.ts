/**
 * The JSON values of a stream that has one a line, as watches of etcd and of Kubernetes have.
 *
 * @throws Error when a line is longer than `maxLineBytes` or no JSON, or when the stream ends within a line
 */
export async function* jsonLines(body: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<unknown> {
  for await (const line of lines(body, maxLineBytes)) {
    const text = line.toString('utf8');
    if (text.trim() !== '') yield parsed(text);
  }
}

async function* lines(body: AsyncIterable<Uint8Array>, maxLineBytes: number): AsyncGenerator<Buffer> {
  let begun: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    let start = 0;
    while (start < chunk.length) {
      const newline = chunk.indexOf(0x0a, start);
      const part = chunk.subarray(start, newline === -1 ? chunk.length : newline);
      length += part.length;
      if (length > maxLineBytes) throw new Error(`a line of the stream is longer than ${maxLineBytes} bytes`);
      begun.push(part);
      if (newline === -1) break;
      yield Buffer.concat(begun);
      begun = [];
      length = 0;
      start = newline + 1;
    }
  }
  if (length > 0) throw new Error('the stream ended within a line');
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`a line of the stream is not JSON: ${JSON.stringify(line.slice(0, 40))}`, { cause: error });
  }
}
