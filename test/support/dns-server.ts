import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A name server that knows one name, whatever it is asked for: these IPv4 addresses. */
export async function startDnsServer(addresses: () => readonly string[]): Promise<{ port: number; stop: () => void }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => socket.send(answerTo(query, addresses()), port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, stop: () => socket.close() };
}

/** RFC 1035, section 4: header, question, and an address record for each; none for other types than A. */
function answerTo(query: Buffer, addresses: readonly string[]): Buffer {
  const nameEnd = query.indexOf(0, 12) + 1;
  const question = query.subarray(12, nameEnd + 4);
  const records = query.readUInt16BE(nameEnd) === 1 ? addresses : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x84_00, 2); // an answer, of who is responsible
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  const record = (address: string) =>
    Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]);
  return Buffer.concat([header, question, ...records.map(record)]);
}
