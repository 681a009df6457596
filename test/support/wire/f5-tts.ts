import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer, text as textOf } from 'node:stream/consumers';
import { type DoubleServer, type Mishap, sendJson, startDoubleServer, suffer } from './double-server.js';
import { readMultipart } from './multipart.js';
import type { DoubleVoice } from './spoken-answers.js';

export interface F5Double extends DoubleServer {
  /** What it was asked to say, by parameter. */
  spoken: Record<string, unknown>[];
  uploads: Buffer[];
  /** What happens to the next orders, and to the app's next descriptions of itself. */
  mishaps: Mishap[];
  infoMishaps: Mishap[];
  /** How the next orders end in its queue. */
  endings: ('fails' | 'without-file' | 'never' | 'breaks-off')[];
  parameters: { name: string; component: string; hasDefault?: true }[];
  requests: string[];
}

/** Of `basic_tts` in F5-TTS's `infer_gradio.py`, as Gradio describes them. */
export const f5Parameters: F5Double['parameters'] = [
  { name: 'ref_audio_input', component: 'Audio' },
  { name: 'ref_text_input', component: 'Textbox' },
  { name: 'gen_text_input', component: 'Textbox' },
  { name: 'remove_silence', component: 'Checkbox', hasDefault: true },
  { name: 'randomize_seed', component: 'Checkbox', hasDefault: true },
  { name: 'seed_input', component: 'Number', hasDefault: true },
  { name: 'cross_fade_duration_slider', component: 'Slider', hasDefault: true },
  { name: 'nfe_slider', component: 'Slider', hasDefault: true },
  { name: 'speed_slider', component: 'Slider', hasDefault: true },
];

/** A Gradio app with F5-TTS's endpoint; its wire is that of Gradio 6.31 (`sse_v3`), compared with a real one. */
export async function startF5(voice: DoubleVoice): Promise<F5Double> {
  const double: Omit<F5Double, keyof DoubleServer> = {
    ...{ spoken: [], uploads: [], mishaps: [], infoMishaps: [], endings: [], requests: [] },
    parameters: f5Parameters,
  };
  const files = new Map<string, Buffer>();
  const queued = new Map<string, unknown[]>();
  let root = '';
  const server = await startDoubleServer(async (request, response) => {
    const url = new URL(request.url ?? '', root);
    double.requests.push(url.pathname);
    if (url.pathname === '/config') sendJson(response, 200, config());
    else if (url.pathname === '/gradio_api/info') describe(response);
    else if (url.pathname === '/gradio_api/upload') await upload(request, response);
    else if (url.pathname === '/gradio_api/queue/join') await join(request, response);
    else if (url.pathname === '/gradio_api/queue/data') await work(url, response);
    else if (url.pathname.startsWith('/gradio_api/file=')) {
      const file = files.get(decodeURIComponent(url.pathname.slice('/gradio_api/file='.length)));
      if (file) response.writeHead(200, { 'content-type': 'audio/wav' }).end(file);
      else sendJson(response, 404, { detail: 'Not Found' });
    } else sendJson(response, 404, { detail: 'Not Found' });
  });
  root = server.baseUrl;
  return Object.assign(double, server);

  function config() {
    const components = double.parameters.map(({ component }, n) => ({
      ...{ id: n + 1, type: component.toLowerCase(), props: {}, skip_api: false, component_class_id: 'x' },
    }));
    const inputs = components.map(({ id }) => id);
    const target = {
      targets: [[99, 'click']],
      backend_fn: true,
      js: null,
      queue: true,
      api_name: 'basic_tts',
    };
    const kind = { types: { generator: false, cancel: false }, connection: 'sse', api_visibility: 'public' };
    const dependencies = [{ id: 0, inputs, outputs: [1], ...target, ...kind }];
    const app = { version: '6.31.0', api_prefix: '/gradio_api', protocol: 'sse_v3', space_id: null, root };
    return {
      ...app,
      components,
      dependencies,
      connect_heartbeat: false,
      page: {},
      pages: [''],
      enable_queue: true,
    };
  }

  function describe(response: ServerResponse): void {
    const mishap = double.infoMishaps.shift();
    if (mishap) {
      suffer(response, mishap);
      return;
    }
    const parameters = double.parameters.map(({ name, component, hasDefault }) => ({
      ...{ label: name, parameter_name: name, parameter_has_default: hasDefault === true },
      ...{ parameter_default: null, type: { type: 'string' }, python_type: { type: 'str' }, component },
    }));
    const returns = [{ label: 'Synthesized Audio', type: {}, python_type: {}, component: 'Audio' }];
    sendJson(response, 200, {
      named_endpoints: { '/basic_tts': { parameters, returns, api_visibility: 'public' } },
      unnamed_endpoints: {},
    });
  }

  async function upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts = await readMultipart(await buffer(request), request.headers['content-type'] ?? '');
    const file = parts.get('files');
    if (file?.fileName === undefined) throw new Error('no file was sent');
    double.uploads.push(file.bytes);
    sendJson(response, 200, [`/tmp/gradio/${double.uploads.length}/${file.fileName}`]);
  }

  async function join(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await textOf(request)) as { data: unknown[]; session_hash: string };
    const mishap = double.mishaps.shift();
    if (mishap) {
      suffer(response, mishap);
      return;
    }
    queued.set(body.session_hash, body.data);
    sendJson(response, 200, { event_id: `event-${body.session_hash}` });
  }

  async function work(url: URL, response: ServerResponse): Promise<void> {
    const session = url.searchParams.get('session_hash') ?? '';
    const data = queued.get(session) ?? [];
    const said = Object.fromEntries(double.parameters.map(({ name }, n) => [name, data[n]]));
    double.spoken.push(said);
    const event_id = `event-${session}`;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const tell = (message: object) => response.write(`data: ${JSON.stringify(message)}\n\n`);
    tell({ msg: 'estimation', event_id, rank: 0, queue_size: 1, rank_eta: 0.1 });
    tell({ msg: 'process_starts', event_id, eta: 0.1 });
    const ending = double.endings.shift();
    if (ending === 'never') return;
    if (ending === 'breaks-off') {
      setTimeout(() => response.destroy(), 20);
      return;
    }
    if (ending === 'fails') {
      tell({
        msg: 'process_completed',
        event_id,
        output: { error: 'CUDA out of memory at /srv' },
        success: false,
      });
    } else {
      const path = `/tmp/gradio/out/${double.spoken.length}/audio.wav`;
      files.set(path, await voice.wav(String(said['gen_text_input'])));
      // An address that leads elsewhere: what it names must not be asked.
      const file = { path, url: 'http://127.0.0.1:9/stolen.wav', meta: { _type: 'gradio.FileData' } };
      const output = { data: [ending === 'without-file' ? null : file, null, '', 0], is_generating: false };
      tell({ msg: 'process_completed', event_id, output, success: true });
    }
    tell({ msg: 'close_stream', event_id: null });
    response.end();
  }
}
