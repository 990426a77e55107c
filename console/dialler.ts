// dialler: the browser's WebSocket, as little of it as a session needs.
import type { Dial } from "./play/session.ts";

export function dialler(url: string): Dial {
  return ({ opened, said, closed }) => {
    const socket = new WebSocket(url);
    let over = false;
    socket.onopen = opened;
    socket.onmessage = ({ data }) => {
      if (!over) said(String(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (!over) closed(code, reason);
      over = true;
    };
    return {
      send: (text) => socket.send(text),
      close: () => {
        over = true;
        socket.close();
      },
    };
  };
}
