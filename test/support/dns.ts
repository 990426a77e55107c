// dns: a name server on a loopback port that answers A queries from a table, for tests that want real questions and answers.
import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface NameServer extends AsyncDisposable {
  /** "127.0.0.1:port", as a Resolver takes it. */
  readonly address: string;
  /** Addresses by name; a name that is not there does not exist. */
  readonly zone: Map<string, readonly string[]>;
  readonly asked: () => number;
}

const headBytes = 12;

export async function startNameServer(): Promise<NameServer> {
  const zone = new Map<string, readonly string[]>();
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", (question, from) => {
    asked += 1;
    const { name, end } = nameIn(question);
    const isA = question.readUInt16BE(end) === 1;
    const records = zone.get(name);
    const answers = isA ? (records ?? []) : [];
    const head = Buffer.from(question.subarray(0, headBytes));
    // An answer, recursion available; 3: there is no such name.
    head.writeUInt16BE(0x8180 | (records ? 0 : 3), 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    const body = answers.map((ip) =>
      // The question's name, type A, class IN, no time to live, four bytes.
      Buffer.from([0xc0, headBytes, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...ip.split(".").map(Number)]),
    );
    socket.send(Buffer.concat([head, question.subarray(headBytes, end + 4), ...body]), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
}

function nameIn(message: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = headBytes;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}
