import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig, settingNames } from '../../config.js';
import { pools } from '../../workflows/contract/jobs.js';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docker-compose.yml', root), 'utf8');

const service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const { services } = z
  .object({ services: z.record(z.string(), service) })
  .parse(parse(text, { merge: true }));

/** What Compose makes of a value where these are all that the user has set. */
function interpolated(value: string | number, set: Record<string, string>): string {
  return String(value).replaceAll(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_whole, name: string, operator?: string, word = '') => set[name] ?? (operator === '-' ? word : ''),
  );
}

const secrets = { POSTGRES_PASSWORD: 'a1', S3_SECRET_ACCESS_KEY: 'b2' };

function configOf(name: string, set: Record<string, string> = {}) {
  const { environment } = services[name] ?? service.parse({ image: '' });
  const entries = Object.entries(environment);
  return readConfig(
    Object.fromEntries(entries.map(([key, value]) => [key, interpolated(value, { ...secrets, ...set })])),
  );
}

const own = Object.entries(services).filter(([, { image }]) => image === 'callsheet');

describe('the services of docker-compose.yml', () => {
  it('are the API, one a pool, and what prepares their places', () => {
    expect(own.map(([name]) => name).toSorted()).toEqual(['api', 'bucket', 'migrate', ...pools].toSorted());
    for (const pool of pools) {
      expect(services[pool]?.command).toEqual(['node', 'dist/workers/main.js', '--pool', pool]);
    }
  });

  it.each(own)(
    '%s runs a program that there is, with settings that are read',
    (name, { command, environment }) => {
      const source = command?.[1]?.replace(/^dist\//, '').replace(/\.js$/, '.ts') ?? '';
      expect(existsSync(fileURLToPath(new URL(source, root))), source).toBe(true);
      expect(settingNames).toEqual(expect.arrayContaining(Object.keys(environment)));
      expect(configOf(name)).toMatchObject({
        storage: { kind: 's3', endpoint: 'http://s3:7070', bucket: 'callsheet' },
        database: { url: 'postgres://callsheet:a1@postgres:5432/callsheet' },
        temporal: { address: 'temporal:7233' },
      });
    },
  );

  it('wait only for what says when it is ready', () => {
    for (const { depends_on: needed } of Object.values(services)) {
      for (const [name, { condition }] of Object.entries(needed)) {
        expect(services[name], name).toBeDefined();
        if (condition === 'service_healthy') expect(services[name]?.healthcheck, name).toBeDefined();
      }
    }
  });

  it('are reachable from this host alone, and only by what its users need', () => {
    const published = Object.entries(services).flatMap(([name, { ports }]) =>
      ports.map((port) => [name, port]),
    );
    expect(published).toEqual([
      ['api', '127.0.0.1:8000:8000'],
      ['s3', '127.0.0.1:7070:7070'],
      ['temporal-ui', '127.0.0.1:8233:8080'],
    ]);
  });

  it('hand out upload addresses at which the store is published, or where its user says', () => {
    expect(configOf('api').storage).toMatchObject({ publicEndpoint: 'http://127.0.0.1:7070' });
    const publicEndpoint = 'https://files.example.org';
    const elsewhere = configOf('api', { S3_PUBLIC_ENDPOINT: publicEndpoint });
    expect(elsewhere.storage).toMatchObject({ publicEndpoint, endpoint: 'http://s3:7070' });
  });

  it('need the two secrets that the head of the file tells how to make', () => {
    const required = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    expect(required).toEqual(Object.keys(secrets));
    for (const name of required) expect(text.slice(0, text.indexOf('\nname:'))).toContain(`${name}=`);
  });
});
