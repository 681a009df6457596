import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, it } from 'vitest';
import { startServer } from '../../api/server.js';
import { freePort } from '../../cli/stack/free-port.js';
import { readConfig } from '../../config.js';
import { createLogger } from '../../logger.js';
import { createTestDatabase, createTestFolder } from '../support/services.js';

/** One request on a connection of the agent's. */
function get(
  agent: http.Agent,
  url: string,
): Promise<{ status: number; keepAlive: string; reused: boolean }> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (answer) => {
      answer.resume();
      answer.once('end', () => {
        const { statusCode = 0, headers } = answer;
        const keepAlive = String(headers['keep-alive']);
        resolve({ status: statusCode, keepAlive, reused: request.reusedSocket });
      });
    });
    request.once('error', reject);
  });
}

it('the server keeps connections longer than proxies do, and ends them at once when it stops', async () => {
  const database = await createTestDatabase();
  const folder = await createTestFolder('server');
  const config = readConfig({
    DATABASE_URL: database.url,
    DATABASE_SCHEMA: database.schema,
    DATA_DIR: folder.path,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    PORT: String(await freePort()),
    SHUTDOWN_GRACE_SECONDS: '20',
  });
  const server = await startServer(config, createLogger({ level: 'silent', name: 'test' }));
  const agent = new http.Agent({ keepAlive: true });
  const url = `http://127.0.0.1:${server.port}`;
  try {
    const first = await get(agent, `${url}/health`);
    expect([first.status, first.reused]).toEqual([200, false]);
    expect(Number(/^timeout=(\d+)$/.exec(first.keepAlive)?.[1])).toBeGreaterThan(60);

    // One connection is idle, another has its answer to come.
    const body = JSON.stringify({ email: 'nobody@example.org', password: 'x' });
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const login = http.request(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers,
      agent: new http.Agent({ keepAlive: true }),
    });
    const answered = once(login, 'response') as Promise<[http.IncomingMessage]>;
    login.write(body.slice(0, 10));
    await sleep(100);
    const stopped = server.stop();
    await sleep(200);
    login.end(body.slice(10));
    const [answer] = await answered;
    expect(answer.statusCode).toBe(401);
    answer.resume();
    const answeredAt = performance.now();
    await stopped;
    expect(performance.now() - answeredAt).toBeLessThan(3_000);
    await expect(get(new http.Agent(), `${url}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  } finally {
    agent.destroy();
    await database.drop();
  }
});
