// Prints the alerts of live calls and goes on where it was after a break. Node 22, or any browser's console;
// Node 20: node --experimental-websocket listen.mjs ws://127.0.0.1:8765 [TOKEN_FILE]
import { readFileSync } from 'node:fs';

const [hub, tokenFile] = process.argv.slice(2);
const token = tokenFile && readFileSync(tokenFile, 'utf8').trim();
let since = '';

function listen() {
  // A browser cannot set headers, so the token travels as a second subprotocol.
  const protocols = token ? ['monitor.v1', `token.${token}`] : ['monitor.v1'];
  const socket = new WebSocket(`${hub}/events?kind=alert,call${since}`, protocols);
  socket.onmessage = ({ data: line }) => {
    const event = JSON.parse(line);
    since = `&since=${Number(event.sequence)}`;
    if (event.type === 'monitor.alert.opened')
      console.log(`${event.partitionkey}  ${event.data.level}  ${event.data.summary}`);
  };
  let over = false; // a line that never stood is an error, and in some versions of Node nothing more
  socket.onclose = socket.onerror = ({ reason, message }) => {
    if (over) return;
    over = true;
    const why = reason || message || 'no hub, or a token that it does not take';
    console.error(`the line broke (${why}); coming back`);
    setTimeout(listen, 1000);
  };
}

listen();
