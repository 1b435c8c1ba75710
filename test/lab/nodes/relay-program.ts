// Carries frames between two links, late and not all of them: what netem does, for kernels that come without it.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const [delayMs = 0, loseEvery = 0, ...ports] = process.argv.slice(2).map(Number);
const [first = 0, firstEnd = 0, second = 0, secondEnd = 0] = ports;
let frames = 0;

const [one, other] = await Promise.all([first, second].map(listen));
if (one === undefined || other === undefined) throw new Error('no sockets');
carry(one, other, secondEnd);
carry(other, one, firstEnd);

async function listen(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** An end that is not there yet, or no more, is a link without a cable: what is sent to it is lost. */
function carry(from: Socket, to: Socket, end: number): void {
  from.on('error', () => undefined);
  from.on('message', (frame) => {
    frames++;
    if (loseEvery > 0 && frames % loseEvery === 0) return;
    setTimeout(() => to.send(frame, end, '127.0.0.1'), delayMs);
  });
}
