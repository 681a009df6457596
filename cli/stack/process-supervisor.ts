import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

export interface ProcessSpec {
  /** Shown to the user. */
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  /** The whole environment of the process; inherited when absent. */
  env?: NodeJS.ProcessEnv;
  /** Output is appended here. */
  logFile: string;
  /** Identity to run as; only root may ask for another. */
  runAs?: { uid: number; gid: number };
  /** How the program is asked to end. */
  stopSignal?: NodeJS.Signals;
  /** After this it is killed. */
  stopTimeoutMs?: number;
  /** What the kernel sends it when we die without stopping it. */
  deathSignal?: NodeJS.Signals;
}

export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SupervisedProcess {
  name: string;
  pid: number;
  logFile: string;
  /** Settles when it has ended, however. */
  exited: Promise<ProcessExit>;
  isRunning(): boolean;
  stop(): Promise<void>;
}

/** Processes that end with us: on request in reverse order of their start, and whatever happens to us. */
export interface Supervisor {
  start(spec: ProcessSpec): Promise<SupervisedProcess>;
  /** Called when a process ends that nobody stopped. */
  onUnexpectedExit(listener: (process: SupervisedProcess, exit: ProcessExit) => void): void;
  stopAll(): Promise<void>;
}

const setprivPath = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

export function createSupervisor(): Supervisor {
  const running: SupervisedProcess[] = [];
  const stopping = new Set<number>();
  const listeners: ((process: SupervisedProcess, exit: ProcessExit) => void)[] = [];

  // The last resort where there is no setpriv; runs on a crash of ours too, but not on SIGKILL.
  process.on('exit', () => {
    for (const one of running) signalGroup(one.pid, 'SIGKILL');
  });

  return {
    async start(spec) {
      const started = await launch(spec, (pid) => stopping.add(pid));
      running.push(started);
      void started.exited.then((exit) => {
        running.splice(running.indexOf(started), 1);
        if (!stopping.delete(started.pid)) for (const listener of listeners) listener(started, exit);
      });
      return started;
    },
    onUnexpectedExit(listener) {
      listeners.push(listener);
    },
    async stopAll() {
      for (const one of [...running].reverse()) await one.stop();
    },
  };
}

async function launch(spec: ProcessSpec, onStopping: (pid: number) => void): Promise<SupervisedProcess> {
  mkdirSync(dirname(spec.logFile), { recursive: true });
  const log = openSync(spec.logFile, 'a');
  const { command, args } = commandLine(spec);
  // A session of its own: the terminal's Ctrl-C reaches only us, and we stop the processes in order.
  const child = spawn(command, args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', log, log],
    ...(setprivPath === undefined ? spec.runAs : {}),
  });
  closeSync(log);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(new Error(`${spec.name} did not start: ${error.message}`, { cause: error }));
    });
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${spec.name} did not start`);
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    name: spec.name,
    pid,
    logFile: spec.logFile,
    exited,
    isRunning,
    async stop() {
      if (isRunning()) {
        onStopping(pid);
        child.kill(spec.stopSignal ?? 'SIGTERM');
        const timer = setTimeout(() => {
          child.kill('SIGKILL');
        }, spec.stopTimeoutMs ?? 10_000);
        await exited;
        clearTimeout(timer);
      }
      // What the program itself left behind in its group.
      signalGroup(pid, 'SIGKILL');
    },
  };
}

/** With setpriv the kernel ends the process with its parent, even when the parent is killed with -9. */
function commandLine(spec: ProcessSpec): { command: string; args: string[] } {
  if (setprivPath === undefined) return { command: spec.command, args: [...spec.args] };
  const identity =
    spec.runAs === undefined
      ? []
      : ['--reuid', String(spec.runAs.uid), '--regid', String(spec.runAs.gid), '--clear-groups'];
  const death = ['--pdeathsig', (spec.deathSignal ?? 'SIGKILL').replace('SIG', '')];
  return { command: setprivPath, args: [...identity, ...death, '--', spec.command, ...spec.args] };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
