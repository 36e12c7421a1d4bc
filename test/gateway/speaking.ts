import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../harness/environments.ts';
import { until } from '../harness/until.ts';

/** A plug-in of Airflow 3 with a WebSocket that answers what it is told. */
const plugin = `from airflow.plugins_manager import AirflowPlugin
from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.websocket("/ws")
async def speak(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text("said: " + await websocket.receive_text())


class SpeakingPlugin(AirflowPlugin):
    name = "speaking"
    fastapi_apps = [{"app": app, "url_prefix": "/speaking", "name": "speaking"}]
`;

/** Where the plug-in listens. */
export const speakingPath = '/speaking/ws';

/** Puts the plug-in past the product into the folder of an environment, and ends its web server, which comes again. */
export const letSpeak = async (machine: Machine): Promise<void> => {
  const folder = join(machine.folder, 'plugins');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'speaking.py'), plugin);
  chmodSync(join(folder, 'speaking.py'), 0o644);
  const before = machine.pidOf('webserver');
  if (before === undefined) throw new Error('there is no web server');
  process.kill(before, 'SIGTERM');
  await until('another web server', 60, () => {
    const now = machine.pidOf('webserver');
    return now !== undefined && now !== before;
  });
};

/** A text of at most 125 bytes as a client sends it (RFC 6455, 5.2), with a mask of zeros. */
export const spoken = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

/** The same as a server sends it. */
export const heard = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
