/** A message of a stream of server-sent events. */
export interface Message {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
}

export interface Following {
  readonly status: number;
  readonly headers: Headers;
  /** What has come so far. */
  readonly text: () => string;
  readonly messages: () => readonly Message[];
  /** Resolves when the other side has ended the stream; rejects when it broke. */
  readonly ended: Promise<void>;
  readonly leave: () => void;
}

/** Follows a stream of server-sent events until it ends. */
export async function follow(url: string, headers: Record<string, string> = {}): Promise<Following> {
  const left = new AbortController();
  const answer = await fetch(url, { headers, signal: AbortSignal.any([left.signal, AbortSignal.timeout(30_000)]) });
  let text = '';
  const take = async () => {
    for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString();
  };
  const ended = take();
  ended.catch(() => undefined);
  return {
    status: answer.status,
    headers: answer.headers,
    text: () => text,
    messages: () => messagesOf(text),
    ended,
    leave: () => left.abort(),
  };
}

/** The messages that are whole; comments are none. */
function messagesOf(text: string): readonly Message[] {
  const blocks = text.split('\n\n').slice(0, -1);
  const fields = blocks.map((block) => block.split('\n').filter((line) => line !== '' && !line.startsWith(':')));
  return fields
    .filter((lines) => lines.length > 0)
    .map((lines) => Object.fromEntries(lines.map((line) => line.split(/: (.*)/s, 2))) as Message);
}
