import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { countJobs } from '../db/jobs.js';
import type { Db } from '../db/database.js';
import type { JobType } from '../workflows/contract/jobs.js';
import { remembered } from './remembered.js';

export interface Metrics {
  observeRequest(request: { method: string; route: string; status: number; seconds: number }): void;
  countAccepted(type: JobType): void;
  /** Prometheus text, and its content type. */
  render(): Promise<{ contentType: string; body: string }>;
}

/** Counting looks at every job, and whoever reaches the API may ask. */
const countsMs = 5_000;

export function createMetrics(db: Db): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'callsheet_http_request_duration_seconds',
    help: 'Time to answer a request, up to its headers',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  const jobCounts = remembered(countsMs, () => countJobs(db));
  const accepted = new Counter({
    name: 'callsheet_jobs_accepted_total',
    help: 'Jobs accepted by this process',
    labelNames: ['type'],
    registers: [registry],
  });
  new Gauge({
    name: 'callsheet_jobs',
    help: 'Jobs by type and recorded status; absent while the database is away',
    labelNames: ['type', 'status'],
    registers: [registry],
    async collect() {
      const counts = await jobCounts().catch(() => []);
      this.reset();
      for (const { type, status, count } of counts) this.set({ type, status }, count);
    },
  });
  return {
    observeRequest({ method, route, status, seconds }) {
      requests.observe({ method, route, status: String(status) }, seconds);
    },
    countAccepted(type) {
      accepted.inc({ type });
    },
    async render() {
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
